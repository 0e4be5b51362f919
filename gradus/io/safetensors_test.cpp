#include "gradus/io/safetensors.h"

#include <gmock/gmock.h>
#include <sys/resource.h>

#include <csignal>
#include <nlohmann/json.hpp>

#include "gradus/ops/elementwise.h"
#include "tests/support/files.h"
#include "tests/support/paths.h"

namespace gradus::io {
namespace {

using gradus::testing::message_of;
using gradus::testing::read_bytes;
using gradus::testing::TemporaryFolder;
using gradus::testing::write_bytes;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pair;

template <class T>
Tensor make(const Shape& shape, std::initializer_list<T> values) {
  Ref<Buffer> buffer = Buffer::allocate(values.size() * sizeof(T));
  std::copy(values.begin(), values.end(), reinterpret_cast<T*>(buffer->data()));
  return leaf({dtype_of<T>, shape}, std::move(buffer));
}

template <class T>
std::vector<T> elements(const Tensor& tensor) {
  const auto data = tensor.data<T>();
  return {data.begin(), data.end()};
}

NamedTensors one_of_each() {
  return {{"f32", make<float>({2, 3}, {1, 2, 3, 4, 5, 6})},
          {"u8", make<std::uint8_t>({3}, {0, 1, 255})},
          {"f64", make<double>({}, {-0.5})},
          {"bool", make<bool>({1, 3}, {true, false, true})},
          {"bf16", make<BFloat16>({2}, {BFloat16(1.5f), BFloat16(-2.f)})},
          {"i64", make<std::int64_t>({1}, {std::int64_t{-1} << 40})},
          {"empty", make<float>({0, 4}, {})},
          {"i32", make<std::int32_t>({2}, {-7, 1 << 30})},
          {"whole lines", make<float>({2, 8}, {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15})}};
}

std::string raw_bytes(const Tensor& tensor) {
  return {reinterpret_cast<const char*>(tensor.buffer()->data()), tensor.spec().bytes()};
}

/// Length, header and data, whatever they say.
std::string file_of(const std::string& header, const std::string& data = {}) {
  std::string file;
  for (int shift = 0; shift < 64; shift += 8) file.push_back(static_cast<char>(header.size() >> shift & 255));
  return file + header + data;
}

std::string refusal_of(const std::string& content) {
  const TemporaryFolder folder;
  write_bytes(folder / "x.safetensors", content);
  const std::string message = message_of(ErrorKind::format, [&] { load(folder / "x.safetensors"); });
  EXPECT_THAT(message, HasSubstr(folder / "x.safetensors"));
  return message;
}

TEST(Safetensors, LoadsWhatItSaved) {
  const TemporaryFolder folder;
  const NamedTensors saved = one_of_each();
  save(folder / "x.safetensors", saved, {{"epoch", "3"}});
  const Safetensors loaded = load_with_metadata(folder / "x.safetensors");
  EXPECT_THAT(loaded.metadata, ElementsAre(Pair("epoch", "3"), Pair("format", "pt")));
  ASSERT_EQ(loaded.tensors.size(), saved.size());
  for (std::size_t i = 0; i < saved.size(); ++i) {
    EXPECT_EQ(loaded.tensors[i].first, saved[i].first);
    EXPECT_EQ(loaded.tensors[i].second.spec(), saved[i].second.spec());
    EXPECT_EQ(raw_bytes(loaded.tensors[i].second), raw_bytes(saved[i].second)) << saved[i].first;
  }
  EXPECT_EQ(folder.files(), 1u);
}

TEST(Safetensors, EvaluatesWhatIsOnlyRecorded) {
  const TemporaryFolder folder;
  const Tensor sum = make<float>({2}, {1, 2}) + make<float>({2}, {10, 20});
  ASSERT_FALSE(sum.evaluated());
  save(folder / "x", {{"sum", sum}});
  EXPECT_THAT(elements<float>(load(folder / "x")[0].second), ElementsAre(11, 22));
}

TEST(Safetensors, WritesTheLayoutOfTheFormat) {
  const TemporaryFolder folder;
  save(folder / "x", one_of_each());
  const std::string file = read_bytes(folder / "x");
  const auto length = static_cast<std::size_t>(static_cast<unsigned char>(file[0])) |
                      static_cast<std::size_t>(static_cast<unsigned char>(file[1])) << 8;
  EXPECT_EQ((8 + length) % 8, 0u);
  EXPECT_EQ(file[8], '{');
  const auto header = nlohmann::json::parse(file.substr(8, length));
  EXPECT_EQ(header["__metadata__"]["format"], "pt");
  EXPECT_EQ(header["f32"]["dtype"], "F32");
  EXPECT_EQ(header["f32"]["shape"], (nlohmann::json{2, 3}));
  EXPECT_EQ(header["f64"]["shape"], nlohmann::json::array());
  for (const auto& [name, tensor] : one_of_each()) {
    const std::size_t begin = header[name]["data_offsets"][0];
    EXPECT_EQ(begin % size_of(tensor.dtype()), 0u) << name;
    EXPECT_EQ(file.substr(8 + length + begin, tensor.spec().bytes()), raw_bytes(tensor)) << name;
  }
}

// The file was made by
//   safetensors.torch.save_file({"conv.weight": torch.arange(6).reshape(2, 3) / 4,
//     "bf": torch.tensor([1.5, -2.0], dtype=torch.bfloat16), "d": torch.tensor(-0.5, dtype=torch.float64),
//     "i": torch.tensor([-7, 2**30], dtype=torch.int32), "l": torch.tensor([[-2**40]]),
//     "u": torch.tensor([0, 255], dtype=torch.uint8), "b": torch.tensor([True, False, True]),
//     "empty": torch.zeros(0, 4)}, "pytorch.safetensors", {"made_by": "safetensors"})
// with safetensors 0.8.0 and PyTorch 2.13.
TEST(Safetensors, ReadsAFileOfPyTorch) {
  const Safetensors loaded = load_with_metadata(testing::source_path("tests/fixtures/io/pytorch.safetensors"));
  EXPECT_THAT(loaded.metadata, ElementsAre(Pair("made_by", "safetensors")));
  ASSERT_EQ(loaded.tensors.size(), 8u);
  std::map<std::string, Tensor> tensors(loaded.tensors.begin(), loaded.tensors.end());
  EXPECT_EQ(tensors["conv.weight"].shape(), (Shape{2, 3}));
  EXPECT_THAT(elements<float>(tensors["conv.weight"]), ElementsAre(0, 0.25f, 0.5f, 0.75f, 1, 1.25f));
  EXPECT_EQ(static_cast<float>(tensors["bf"].data<BFloat16>()[1]), -2.f);
  EXPECT_EQ(tensors["d"].shape(), Shape{});
  EXPECT_EQ(tensors["d"].data<double>()[0], -0.5);
  EXPECT_THAT(elements<std::int32_t>(tensors["i"]), ElementsAre(-7, 1 << 30));
  EXPECT_THAT(elements<std::int64_t>(tensors["l"]), ElementsAre(-(std::int64_t{1} << 40)));
  EXPECT_EQ(tensors["l"].shape(), (Shape{1, 1}));
  EXPECT_THAT(elements<std::uint8_t>(tensors["u"]), ElementsAre(0, 255));
  EXPECT_THAT(elements<bool>(tensors["b"]), ElementsAre(true, false, true));
  EXPECT_EQ(tensors["empty"].shape(), (Shape{0, 4}));
}

TEST(Safetensors, AlignsEveryBuffer) {
  const TemporaryFolder folder;
  save(folder / "x", one_of_each());
  int mapped = 0;
  for (const auto& [name, tensor] : load(folder / "x")) {
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(tensor.buffer()->data()) % Buffer::alignment, 0u) << name;
    mapped += tensor.buffer()->writable() ? 0 : 1;
  }
  EXPECT_GE(mapped, 1);  // "whole lines" is used where the file is mapped
}

TEST(Safetensors, OutlivesItsFile) {
  const TemporaryFolder folder;
  save(folder / "x", one_of_each());
  const Tensor mapped = load(folder / "x").back().second;
  EXPECT_FALSE(mapped.buffer()->writable());
  save(folder / "x", {{"other", make<float>({1}, {1})}});
  std::filesystem::remove(folder / "x");
  EXPECT_EQ(mapped.data<float>()[15], 15.f);
}

TEST(Safetensors, HoldsNoTensorsAtAll) {
  const TemporaryFolder folder;
  save(folder / "x", {});
  EXPECT_TRUE(load(folder / "x").empty());
  write_bytes(folder / "y", file_of("{}"));
  EXPECT_TRUE(load(folder / "y").empty());
}

TEST(Safetensors, RefusesToSaveWhatItCouldNotLoad) {
  const TemporaryFolder folder;
  const Tensor x = make<float>({1}, {1});
  const auto refusal = [&](const NamedTensors& tensors) {
    return message_of(ErrorKind::value, [&] { save(folder / "x", tensors); });
  };
  EXPECT_THAT(refusal({{"a", x}, {"a", x}}), HasSubstr("\"a\" occurs twice"));
  EXPECT_THAT(refusal({{"a", Tensor()}}), HasSubstr("undefined"));
  EXPECT_THAT(refusal({{"__metadata__", x}}), HasSubstr("reserved"));
  EXPECT_THAT(refusal({{"\xff", x}}), HasSubstr("UTF-8"));
  EXPECT_EQ(folder.files(), 0u);
  message_of(ErrorKind::io, [&] { save(folder / "none/x", {{"a", x}}); });
}

TEST(Safetensors, KeepsTheEarlierFileOnAFullDisk) {
  const TemporaryFolder folder;
  save(folder / "x", one_of_each());
  const std::string before = read_bytes(folder / "x");
  rlimit old;
  ::getrlimit(RLIMIT_FSIZE, &old);
  const rlimit limit{1024, old.rlim_max};
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &limit), 0);
  const std::string message = message_of(ErrorKind::io, [&] {
    save(folder / "x", {{"large", leaf({DType::f32, {1000}}, Buffer::allocate(4000))}});
  });
  ::setrlimit(RLIMIT_FSIZE, &old);
  std::signal(SIGXFSZ, handler);
  EXPECT_THAT(message, HasSubstr("the earlier file is unchanged"));
  EXPECT_EQ(read_bytes(folder / "x"), before);
  EXPECT_EQ(folder.files(), 1u);
}

TEST(Safetensors, RefusesUnsoundLengths) {
  EXPECT_THAT(refusal_of(""), HasSubstr("too short"));
  EXPECT_THAT(refusal_of("1234567"), HasSubstr("7 bytes"));
  EXPECT_THAT(refusal_of(std::string(8, '\xff')), HasSubstr("header is too long"));
  EXPECT_THAT(refusal_of(file_of("{}").substr(0, 9)), HasSubstr("ends within its header"));
  EXPECT_THAT(refusal_of(file_of("")), HasSubstr("does not start with {"));
  EXPECT_THAT(refusal_of(file_of(" {}")), HasSubstr("does not start with {"));
}

TEST(Safetensors, RefusesHeadersThatAreNotItsOwn) {
  EXPECT_THAT(refusal_of(file_of("{\"a\": ")), HasSubstr("not JSON"));
  EXPECT_THAT(refusal_of(file_of("{} {}")), HasSubstr("not JSON"));
  EXPECT_THAT(refusal_of(file_of("{\"\xff\": 1}")), HasSubstr("not JSON"));
  EXPECT_THAT(refusal_of(file_of("{" + std::string(100000, '['))), HasSubstr("not JSON"));
  EXPECT_THAT(refusal_of(file_of("{\"a\": 1}")), HasSubstr("\"a\" is 1"));
  EXPECT_THAT(refusal_of(file_of("{\"a\": [1]}")), HasSubstr("\"a\" is a list"));
  EXPECT_THAT(refusal_of(file_of("{\"a\":" + std::string(100000, '['))), HasSubstr("\"a\" is a list"));
  EXPECT_THAT(refusal_of(file_of("{\"a\": {\"b\": 1}}")), HasSubstr("unknown key \"b\""));
  EXPECT_THAT(refusal_of(file_of("{\"a\": {}}")), HasSubstr("\"dtype\" is missing"));
  EXPECT_THAT(refusal_of(file_of("{\"__metadata__\": {\"a\": 1}}")), HasSubstr("expected a text"));
  EXPECT_THAT(refusal_of(file_of("{\"__metadata__\": {\"a\": \"1\", \"a\": \"2\"}}")), HasSubstr("occurs twice"));
  EXPECT_THAT(refusal_of(file_of("{\"a\": {\"shape\": {}}}")), HasSubstr("shape holds an object"));
  EXPECT_THAT(refusal_of(file_of("{\"a\": {\"shape\": [[1]]}}")), HasSubstr("shape holds a list"));
  EXPECT_THAT(refusal_of(file_of("{\"a\": {\"shape\": [\"1\"]}}")), HasSubstr("shape holds the text"));
  EXPECT_THAT(refusal_of(file_of("{\"a\": {\"shape\": [-1]}}")), HasSubstr("shape holds -1"));
  EXPECT_THAT(refusal_of(file_of("{\"a\": {\"shape\": [1.5]}}")), HasSubstr("shape holds 1.5"));
  EXPECT_THAT(refusal_of(file_of("{\"a\": {\"shape\": [], \"shape\": []}}")), HasSubstr("\"shape\" occurs twice"));
}

/// A file with these entries and `bytes` zeros.
std::string entries(std::initializer_list<std::string> items, std::size_t bytes) {
  std::string header;
  for (const std::string& item : items) header += (header.empty() ? "{" : ",") + item;
  return file_of(header + "}", std::string(bytes, '\0'));
}
std::string entry(const std::string& name, const std::string& dtype, const std::string& shape,
                  const std::string& offsets) {
  return "\"" + name + "\":{\"dtype\":\"" + dtype + "\",\"shape\":[" + shape + "],\"data_offsets\":[" + offsets + "]}";
}

TEST(Safetensors, RefusesUnsoundEntries) {
  EXPECT_THAT(refusal_of(entries({entry("a", "F16", "2", "0,4")}, 4)), HasSubstr("dtype \"F16\""));
  EXPECT_THAT(refusal_of(entries({entry("a", "F32", "2", "0,4")}, 4)), HasSubstr("8 bytes"));
  EXPECT_THAT(refusal_of(entries({entry("a", "F32", "1", "4,0")}, 4)), HasSubstr("[4, 0]"));
  EXPECT_THAT(refusal_of(entries({entry("a", "F32", "1", "0")}, 4)), HasSubstr("[begin, end]"));
  EXPECT_THAT(refusal_of(entries({entry("a", "F32", "1,1,1,1,1,1,1,1,1", "0,4")}, 4)), HasSubstr("9 axes"));
  EXPECT_THAT(refusal_of(entries({entry("a", "F32", "4611686018427387904", "0,0")}, 0)), HasSubstr("too large"));
  EXPECT_THAT(refusal_of(entries({entry("a", "F32", "4294967296,4294967296,0", "0,0")}, 0)), HasSubstr("too large"));
  EXPECT_THAT(refusal_of(entries({entry("a", "U8", "18446744073709551615", "0,18446744073709551615")}, 0)),
              HasSubstr("too large"));
  EXPECT_THAT(refusal_of(entries({entry("a", "U8", "1", "18446744073709551614,18446744073709551615")}, 1)),
              HasSubstr("the file ends before its data"));
  std::string many = "1";
  for (int i = 0; i < 100; ++i) many += ",1";
  EXPECT_THAT(refusal_of(entries({entry("a", "U8", many, "0,1")}, 1)), HasSubstr("more than 64"));
}

TEST(Safetensors, RefusesOverlapsAndHoles) {
  const std::string a = entry("a", "F32", "1", "0,4");
  EXPECT_THAT(refusal_of(entries({a, entry("b", "F32", "1", "0,4")}, 8)), HasSubstr("overlap"));
  EXPECT_THAT(refusal_of(entries({a, entry("b", "F32", "1", "2,6")}, 6)), HasSubstr("overlap"));
  EXPECT_THAT(refusal_of(entries({a, entry("b", "F32", "1", "8,12")}, 12)), HasSubstr("hole"));
  EXPECT_THAT(refusal_of(entries({entry("b", "F32", "1", "4,8")}, 8)), HasSubstr("hole"));
  EXPECT_THAT(refusal_of(entries({a}, 5)), HasSubstr("goes on behind its data"));
  EXPECT_THAT(refusal_of(entries({a}, 3)), HasSubstr("ends before its data"));
  EXPECT_THAT(refusal_of(entries({a, entry("a", "F32", "1", "4,8")}, 8)), HasSubstr("\"a\" occurs twice"));
}

TEST(Safetensors, RefusesTruthValuesOtherThanZeroAndOne) {
  const std::string file = file_of("{" + entry("a", "BOOL", "3", "0,3") + "}", std::string("\0\1\2", 3));
  EXPECT_THAT(refusal_of(file), HasSubstr("element 2 is 2"));
}

TEST(Safetensors, RefusesEveryPrefix) {
  const TemporaryFolder folder;
  save(folder / "x", one_of_each());
  gradus::testing::expect_every_prefix_refused(read_bytes(folder / "x"), load);
}

TEST(Safetensors, SurvivesEveryChangedByte) {
  const TemporaryFolder folder;
  save(folder / "x", {{"a", make<float>({2}, {1, 2})}, {"b", make<bool>({1}, {true})}});
  const std::string sound = read_bytes(folder / "x");
  const auto read = [](const std::string& path) {
    for (const auto& [name, tensor] : load(path)) EXPECT_EQ(raw_bytes(tensor).size(), tensor.spec().bytes());
  };
  EXPECT_GT(gradus::testing::count_refused_corruptions(sound, read), sound.size());
}

TEST(Safetensors, RefusesWhatIsNoFile) {
  const TemporaryFolder folder;
  EXPECT_THAT(message_of(ErrorKind::io, [&] { load(folder / "none"); }), HasSubstr("No such file"));
  EXPECT_THAT(message_of(ErrorKind::io, [&] { load(folder.path()); }), HasSubstr("not a regular file"));
}

class Sharded : public ::testing::Test {
 protected:
  Sharded() {
    save(folder_ / "1.safetensors", {{"a", make<float>({1}, {1})}, {"c", make<float>({1}, {3})}});
    save(folder_ / "2.safetensors", {{"b", make<float>({1}, {2})}});
  }
  std::string refusal_of_map(const std::string& map) {
    write_bytes(index_, "{\"weight_map\": {" + map + "}}");
    return message_of(ErrorKind::format, [&] { load(index_); });
  }

  TemporaryFolder folder_;
  std::string index_ = folder_ / "model.safetensors.index.json";
};

TEST_F(Sharded, LoadsAllFiles) {
  write_bytes(index_, R"({"metadata": {"total_size": 12, "note": "x"},
    "weight_map": {"b": "2.safetensors", "a": "1.safetensors", "c": "1.safetensors"}})");
  const Safetensors loaded = load_with_metadata(index_);
  ASSERT_EQ(loaded.tensors.size(), 3u);
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(loaded.tensors[i].first, std::string(1, static_cast<char>('a' + i)));
    EXPECT_EQ(loaded.tensors[i].second.data<float>()[0], static_cast<float>(i + 1));
  }
  EXPECT_THAT(loaded.metadata, ElementsAre(Pair("note", "x")));
}

TEST_F(Sharded, RefusesAnIndexThatDoesNotFit) {
  const std::string all = R"("a": "1.safetensors", "c": "1.safetensors", "b": "2.safetensors")";
  EXPECT_THAT(refusal_of_map(all + R"(, "d": "2.safetensors")"), HasSubstr("not in the file that the index names"));
  EXPECT_THAT(refusal_of_map(R"("a": "1.safetensors")"), HasSubstr("does not name"));
  EXPECT_THAT(refusal_of_map(all + R"(, "a": "2.safetensors")"), HasSubstr("occurs twice"));
  EXPECT_THAT(refusal_of_map(R"("a": 1)"), HasSubstr("not a text"));
  for (const char* file : {"../1.safetensors", "/etc/passwd", "..", ""}) {
    EXPECT_THAT(refusal_of_map(std::string("\"a\": \"") + file + "\""), HasSubstr("beside its index")) << file;
  }
  for (const char* text : {"", "[]", "{}", "{\"weight_map\": 3}", "{\"weight_map\": {"}) {
    write_bytes(index_, text);
    message_of(ErrorKind::format, [&] { load(index_); });
  }
  write_bytes(index_, "{\"a\":" + std::string(100000, '['));
  EXPECT_THAT(message_of(ErrorKind::format, [&] { load(index_); }), HasSubstr("too deeply"));
  write_bytes(index_, R"({"weight_map": {"a": "3.safetensors"}})");
  EXPECT_THAT(message_of(ErrorKind::io, [&] { load(index_); }), HasSubstr("3.safetensors"));
}

}  // namespace
}  // namespace gradus::io
