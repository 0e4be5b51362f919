#include "gradus/io/npy.h"

#include <gmock/gmock.h>

#include <cstring>
#include <map>

#include "gradus/engine/eval.h"
#include "gradus/io/zip.h"
#include "tests/support/files.h"
#include "tests/support/paths.h"

namespace gradus::io {
namespace {

using gradus::testing::message_of;
using gradus::testing::read_bytes;
using gradus::testing::source_path;
using gradus::testing::TemporaryFolder;
using gradus::testing::write_bytes;
using ::testing::HasSubstr;

template <class T>
Tensor ramp(const Shape& shape) {
  Ref<Buffer> buffer = Buffer::allocate(static_cast<std::size_t>(shape.numel()) * sizeof(T));
  auto* out = reinterpret_cast<T*>(buffer->data());
  for (std::int64_t i = 0; i < shape.numel(); ++i) out[i] = static_cast<T>(static_cast<float>(i % 7));
  return leaf({dtype_of<T>, shape}, std::move(buffer));
}

NamedTensors one_of_each() {
  return {{"f32", ramp<float>({2, 3})},    {"f64", ramp<double>({4})},       {"bf16", ramp<BFloat16>({2, 2, 2})},
          {"i32", ramp<std::int32_t>({})}, {"i64", ramp<std::int64_t>({0})}, {"a/u8", ramp<std::uint8_t>({3, 1})},
          {"bool", ramp<bool>({5})},       {"large", ramp<float>({300, 40})}};
}

void expect_equal(const Tensor& a, const Tensor& b, const std::string& what) {
  ASSERT_EQ(a.spec(), b.spec()) << what;
  EXPECT_EQ(std::memcmp(a.buffer()->data(), b.buffer()->data(), a.spec().bytes()), 0) << what;
}

/// A file of one array with this dictionary.
std::string npy(std::string dictionary, const std::string& data, char version = 1) {
  dictionary += "\n";
  std::string out = std::string("\x93NUMPY") + version + std::string(1, '\0');
  out += static_cast<char>(dictionary.size() & 255);
  out += static_cast<char>(dictionary.size() >> 8);
  if (version > 1) out += std::string(2, '\0');
  return out + dictionary + data;
}

std::string refusal_of(const std::string& content, ErrorKind kind = ErrorKind::format) {
  const TemporaryFolder folder;
  write_bytes(folder / "x.npy", content);
  return message_of(kind, [&] { load_npy(folder / "x.npy"); });
}

TEST(Npy, ReadsWhatItWrites) {
  const TemporaryFolder folder;
  for (const auto& [name, tensor] : one_of_each()) {
    save_npy(folder / "x.npy", tensor);
    expect_equal(load_npy(folder / "x.npy"), tensor, name);
  }
  for (const bool compressed : {false, true}) {
    save_npz(folder / "x.npz", one_of_each(), {.compressed = compressed});
    const NamedTensors back = load_npz(folder / "x.npz");
    ASSERT_EQ(back.size(), one_of_each().size());
    for (std::size_t i = 0; i < back.size(); ++i) {
      EXPECT_EQ(back[i].first, one_of_each()[i].first);
      expect_equal(back[i].second, one_of_each()[i].second, back[i].first);
    }
  }
  EXPECT_LT(read_bytes(folder / "x.npz").size(), 300u * 40u * 4u / 4u);
  EXPECT_EQ(folder.files(), 2u);
}

TEST(Npy, ReadsNumpysOwnFiles) {
  const auto f8 = [](std::int64_t i) { return static_cast<double>(i) / 7; };
  const Tensor fortran = load_npy(source_path("tests/fixtures/io/numpy_f8_fortran.npy"));
  EXPECT_EQ(fortran.spec(), (TensorSpec{DType::f64, {2, 3, 4}}));
  const Tensor big = load_npy(source_path("tests/fixtures/io/numpy_i4_big.npy"));
  for (std::size_t i = 0; i < 24; ++i) {
    EXPECT_EQ(fortran.data<double>()[i], f8(static_cast<std::int64_t>(i)));
    EXPECT_EQ(big.data<std::int32_t>()[i], static_cast<std::int32_t>(i) - 12);
  }
  for (const char* file : {"numpy_stored.npz", "numpy_deflated.npz"}) {
    std::map<std::string, Tensor> t;
    for (auto& [name, tensor] : load_npz(source_path(std::string("tests/fixtures/io/") + file))) t[name] = tensor;
    ASSERT_EQ(t.size(), 9u);
    for (std::size_t i = 0; i < 24; ++i) {
      EXPECT_EQ(t["f4"].data<float>()[i], static_cast<float>(i) / 8);
      EXPECT_EQ(t["i8"].data<std::int64_t>()[i], static_cast<std::int64_t>(i) << 40);
      EXPECT_EQ(t["u1_fortran"].data<std::uint8_t>()[i], i);
      EXPECT_EQ(t["bool"].data<bool>()[i], i % 3 == 0);
    }
    EXPECT_EQ(t["scalar"].shape(), Shape{});
    EXPECT_EQ(t["scalar"].data<float>()[0], 2.5f);
    EXPECT_EQ(t["empty"].spec(), (TensorSpec{DType::f64, {0, 3}}));
    EXPECT_EQ(t["vector"].shape(), Shape{5});
  }
}

TEST(Npy, RefusesHostileHeaders) {
  const std::string data(4, '\0');
  const auto with = [&](const std::string& descr, const std::string& order, const std::string& shape) {
    return npy("{'descr': " + descr + ", 'fortran_order': " + order + ", 'shape': " + shape + ", }", data);
  };
  const std::vector<std::pair<std::string, std::string>> examples = {
      {"", "not a .npy file"},
      {"\x93NUMPX", "not a .npy file"},
      {npy("{", data, 9), "version 9.0"},
      {std::string("\x93NUMPY\x01\0\xff\x00{", 11), "ends within its header"},
      {with("'<f2'", "False", "(2,)"), "x.astype(numpy.float32)"},
      {with("'|O'", "False", "(1,)"), "'|O' are not supported"},
      {with("'<f4'", "maybe", "(1,)"), "expected True or False"},
      {with("'<f4'", "False", "(-1,)"), "expected a size"},
      {with("'<f4'", "False", "(1 1)"), "expected , or )"},
      {with("'<f4'", "False", "(1,1,1,1,1,1,1,1,1)"), "more than 8 axes"},
      {with("'<f4'", "False", "(99999999999999999999,)"), "expected a size"},
      {with("'<f4'", "False", "(4294967296, 4294967296, 0)"), "beyond what a tensor may have"},
      {with("'<f8'", "False", "(1000000, 1000000)"), "ends before its data"},
      {with("'|u1'", "False", "(3,)"), "goes on behind its data"},
      {with("[('a', '<f4')]", "False", "(1,)"), "records"},
      {npy("{'descr': '<f4', 'shape': (1,)}", data), "fortran_order or shape is missing"},
      {npy("{'descr': '<f4', 'descr': '<f4'}", data), "occurs twice"},
      {npy("{'descr': '<f4', 'fortran_order': False, 'shape': (1,)} x", data), "behind the closing brace"},
      {npy("{'descr': '|b1', 'fortran_order': False, 'shape': (4,)}", std::string("\0\1\2\0", 4)),
       "element 2 is no truth value"},
  };
  for (const auto& [content, text] : examples) EXPECT_THAT(refusal_of(content), HasSubstr(text));
  const TemporaryFolder folder;
  write_bytes(folder / "x.npy", npy("{'shape': (1,), \"fortran_order\": True, 'descr': '=f4'}", data, 3));
  EXPECT_EQ(load_npy(folder / "x.npy").spec(), (TensorSpec{DType::f32, {1}}));
}

TEST(Npy, RefusesEveryPrefixAndSurvivesDamage) {
  const TemporaryFolder folder;
  const NamedTensors small = {{"a", ramp<float>({3})}, {"b", ramp<std::uint8_t>({40})}};
  save_npy(folder / "x.npy", small[0].second);
  const std::string sound = read_bytes(folder / "x.npy");
  gradus::testing::expect_every_prefix_refused(sound, load_npy);
  gradus::testing::count_refused_corruptions(sound, load_npy);
  for (const bool compressed : {false, true}) {
    save_npz(folder / "x.npz", small, {.compressed = compressed});
    const std::string archive = read_bytes(folder / "x.npz");
    gradus::testing::expect_every_prefix_refused(archive, load_npz);
    const auto read = [&](const std::string& path) {  // dates and versions may change, elements never
      for (const auto& [name, tensor] : load_npz(path)) {
        if (name == "a") expect_equal(tensor, small[0].second, "a");
        if (name == "b") expect_equal(tensor, small[1].second, "b");
      }
    };
    EXPECT_GT(gradus::testing::count_refused_corruptions(archive, read), archive.size());
  }
}

TEST(Npz, RefusesWhatIsNoSetOfArrays) {
  const TemporaryFolder folder;
  const std::string path = folder / "x.npz";
  write_bytes(path, "PK");
  EXPECT_THAT(message_of(ErrorKind::format, [&] { load_npz(path); }), HasSubstr("not a zip archive"));
  {
    AtomicFile file(path);
    ZipWriter writer(file, path);
    const std::string text = "text";
    writer.add("readme.txt", {std::as_bytes(std::span(text))}, false);
    writer.finish();
    file.commit();
  }
  EXPECT_THAT(message_of(ErrorKind::format, [&] { load_npz(path); }),
              HasSubstr("\"readme.txt\" in the archive is no array"));
  const Tensor x = ramp<float>({1});
  message_of(ErrorKind::value, [&] { save_npz(path, {{"a", x}, {"a", x}}); });
  message_of(ErrorKind::value, [&] { save_npz(path, {{"../a", x}}); });
  message_of(ErrorKind::value, [&] { save_npz(path, {{"", x}}); });
  message_of(ErrorKind::value, [&] { save_npz(path, {{"a", Tensor()}}); });
  message_of(ErrorKind::io, [&] { save_npz(folder / "none/x.npz", {{"a", x}}); });
  message_of(ErrorKind::io, [&] { load_npz(folder / "none.npz"); });
  EXPECT_EQ(folder.files(), 1u);
}

}  // namespace
}  // namespace gradus::io
