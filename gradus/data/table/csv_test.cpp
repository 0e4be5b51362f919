#include "gradus/data/table/csv.h"

#include <gmock/gmock.h>
#include <zlib.h>

#include <limits>

#include "gradus/data/table/encoder.h"
#include "tests/support/files.h"

namespace gradus::data {
namespace {

using gradus::testing::message_of;
using gradus::testing::read_bytes;
using gradus::testing::TemporaryFolder;
using gradus::testing::write_bytes;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

Table parsed(std::string_view text, const CsvOptions& options = {}) { return parse_csv(text, "t.csv", options); }

std::vector<std::string> texts(const Table& table, std::string_view column) {
  std::vector<std::string> out;
  for (std::int64_t row = 0; row < table.rows(); ++row) out.push_back(table.column(column).text(row));
  return out;
}

TEST(Csv, InfersTypes) {
  const Table t = parsed(
      "i,f,b,c,huge,plus,empty\n1,2.5,true,red,1,+3,\n-7,1e3,FALSE,blue,99999999999999999999,4,NA\n007,3,True,red,2,5,?"
      "\n");
  const auto type = [&](const char* name) { return t.column(name).type; };
  EXPECT_EQ(type("i"), ColumnType::i64);
  EXPECT_EQ(type("f"), ColumnType::f64);
  EXPECT_EQ(type("b"), ColumnType::boolean);
  EXPECT_EQ(type("c"), ColumnType::category);
  EXPECT_EQ(type("huge"), ColumnType::f64);
  EXPECT_EQ(type("plus"), ColumnType::i64);
  EXPECT_EQ(type("empty"), ColumnType::f64);
  EXPECT_THAT(t.column("i").integers, ElementsAre(1, -7, 7));
  EXPECT_THAT(t.column("f").numbers, ElementsAre(2.5, 1000, 3));
  EXPECT_THAT(t.column("b").integers, ElementsAre(1, 0, 1));
  EXPECT_THAT(t.column("c").categories, ElementsAre("blue", "red"));
  EXPECT_THAT(t.column("c").integers, ElementsAre(1, 0, 1));
  EXPECT_EQ(t.column("empty").missing_count(), 3);
  EXPECT_EQ(parsed("x\na\nb\nc\n", {.most_categories = 2}).column("x").type, ColumnType::text);
}

TEST(Csv, ReadsTheWholeSyntax) {
  struct Example {
    const char* text;
    std::vector<std::string> expected;  ///< of column x
    CsvOptions options;
  };
  const std::vector<Example> examples = {
      {"x,y\na,1\nb,2\n", {"a", "b"}, {}},
      {"x,y\r\na,1\r\nb,2", {"a", "b"}, {}},
      {"\xef\xbb\xbfx,y\na,1\n", {"a"}, {}},
      {"x,y\n\"a,b\",1\n\"say \"\"hi\"\"\",2\n", {"a,b", "say \"hi\""}, {}},
      {"x,y\n\"two\nlines\",1\n\"three\r\nmore\",2\n", {"two\nlines", "three\r\nmore"}, {}},
      {"\n\nx,y\n\na,1\n\n\nb,2\n\n", {"a", "b"}, {}},
      {"x;y\na,b;1\n", {"a,b"}, {.delimiter = ';'}},
      {"x\ty\na\t1\n", {"a"}, {.delimiter = '\t'}},
      {"x , y\n  a ,1\n \"b \" , 2\n", {"a", "b "}, {}},
      {"x,y\n  a ,1\n", {"  a "}, {.trim = false}},
      {"x,y\n\"\",1\n\"NA\",2\n,3\nb,4\n", {"", "NA", "", "b"}, {}},
      {"x,y\n-,1\nb,2\n", {"", "b"}, {.missing = {"-"}}},
      {"\"x\",\"y\"\na,1\n", {"a"}, {}},
      {"x,y\n", {}, {}},
  };
  for (const Example& example : examples)
    EXPECT_EQ(texts(parsed(example.text, example.options), "x"), example.expected) << example.text;
  EXPECT_EQ(parsed("x\n\"\"\n\nb\n").column("x").missing_count(), 0);
  const Table bare = parsed("1,a\n2,b\n", {.header = false});
  EXPECT_THAT(bare.column_names(), ElementsAre("0", "1"));
  EXPECT_EQ(bare.rows(), 2);
  EXPECT_THAT(parsed("x\n\"a\nb\"\nc\n").lines, ElementsAre(2, 4));
}

TEST(Csv, NumbersThatAreInfiniteAreNumbers) {
  const Table table = parse_csv("x,y\n1,1e999\n-inf,-1e-999\n+Infinity,2\n", "t.csv");
  EXPECT_EQ(table.column("x").type, ColumnType::f64);
  EXPECT_EQ(table.column("x").numbers[1], -std::numeric_limits<double>::infinity());
  EXPECT_EQ(table.column("x").numbers[2], std::numeric_limits<double>::infinity());
  EXPECT_EQ(table.column("y").numbers[0], std::numeric_limits<double>::infinity());
  EXPECT_EQ(table.column("y").numbers[1], 0.0);
  EXPECT_EQ(parse_csv(csv_text(table), "t.csv").column("x").numbers, table.column("x").numbers);
  for (const char* text : {"x\n1\n1e3x\n", "x\n1\n-nan\n", "x\n1\n0x10\n"}) {
    EXPECT_EQ(parse_csv(text, "t.csv").column("x").type, ColumnType::category) << text;
  }
  EXPECT_EQ(parse_csv("x\n99999999999999999999\n", "t.csv").column("x").type, ColumnType::f64);  // beyond i64
  const TableEncoder encoder(table, {});
  EXPECT_THAT(message_of(ErrorKind::value, [&] { encoder.inputs(table); }),
              HasSubstr("(t.csv:3): -inf in column \"x\" is not finite in f32"));
}

TEST(Csv, ReadsGzipAndRefusesADamagedOne) {
  const TemporaryFolder folder;
  std::string text = "x,y\n";
  for (int i = 0; i < 3000; ++i) text += std::to_string(i) + "," + std::to_string(i * i) + "\n";
  const std::string path = folder / "t.csv.gz";
  gzFile file = gzopen(path.c_str(), "wb");
  gzwrite(file, text.data(), static_cast<unsigned>(text.size()));
  gzclose(file);
  EXPECT_EQ(read_csv(path).column("y").integers[2999], 2999 * 2999);
  const std::string sound = read_bytes(path);
  write_bytes(path, sound.substr(0, sound.size() / 2));
  EXPECT_THAT(message_of(ErrorKind::format, [&] { read_csv(path); }), HasSubstr("cut off"));
  std::string damaged = sound;
  damaged[damaged.size() / 2] = static_cast<char>(damaged[damaged.size() / 2] ^ 0x55);
  write_bytes(path, damaged);
  message_of(ErrorKind::format, [&] { read_csv(path); });
}

TEST(Csv, WritesWhatItReads) {
  const TemporaryFolder folder;
  const std::string path = folder / "t.csv";
  const Table t = parsed("i,f,b,c,t\n1,0.1,true,\"a,b\",\"?\"\n,,,,\n-3,1e-300,false,\"q\"\"\n\",\"\"\n",
                         {.types = {{"t", ColumnType::text}}});
  write_csv(path, t);
  const Table back = read_csv(path, {.types = t.types()});
  ASSERT_EQ(back.rows(), 3);
  for (const Column& column : t.columns) {
    EXPECT_EQ(texts(back, column.name), texts(t, column.name));
    EXPECT_EQ(back.column(column.name).missing, column.missing) << column.name;
    EXPECT_EQ(back.column(column.name).type, column.type);
  }
  EXPECT_EQ(folder.files(), 1u);
  message_of(ErrorKind::io, [&] { write_csv(folder / "none/t.csv", t); });
}

TEST(Csv, RefusesEveryBrokenQuoteWithItsPlace) {
  const std::vector<std::pair<std::string, std::string>> examples = {
      {"x,y\n1,2\n3\n", "t.csv:3:2"},
      {"x,y\n1,2,3\n", "t.csv:2:5"},
      {"x\n\"a\nb\n", "t.csv:2:1"},
      {"x,y\n1,a\"b\n", "t.csv:2:4"},
      {"x\n\"a\"b\n", "t.csv:2:4"},
      {"x,x\n", "t.csv:1:3"},
      {"x,\n1,2\n", "t.csv:1:3"},
      {"", "t.csv:1:1"},
      {std::string("x\n1\0\n", 5), "t.csv:2:2"},
      {"\xff\xfex\n", "t.csv:1:1"},
      {"x\ra\r", "t.csv:1:2"},
      {"x,y\n\"a\nb\",1,2\n", "t.csv:3:6"},
  };
  for (const auto& [text, place] : examples)
    EXPECT_THAT(message_of(ErrorKind::format, [&, &content = text] { parsed(content); }), HasSubstr("(" + place + ")"))
        << text;
  EXPECT_THAT(message_of(ErrorKind::format,
                         [] {
                           parsed("x\n1\nb\n", {.types = {{"x", ColumnType::i64}}});
                         }),
              HasSubstr("(t.csv:3:1): \"b\" in column \"x\" is not an integer"));
}

TEST(Table, SelectsRowsAndFindsColumns) {
  const Table t = parsed("a,b\n1,x\n2,y\n3,x\n");
  const Table s = t.select(std::vector<std::int64_t>{2, 0});
  EXPECT_THAT(s.column("a").integers, ElementsAre(3, 1));
  EXPECT_THAT(texts(s, "b"), ElementsAre("x", "x"));
  EXPECT_EQ(s.column("b").categories.size(), 2u);
  EXPECT_EQ(s.place(0), "t.csv:4");
  EXPECT_THAT(message_of(ErrorKind::value, [&] { t.column("A"); }), HasSubstr("there is no column \"A\""));
  message_of(ErrorKind::index, [&] { t.select(std::vector<std::int64_t>{3}); });
}

TEST(Encoder, EncodesByEachPolicy) {
  const Table train = parsed("n,c,y\n1,red,no\n,blue,yes\n4,,no\n7,red,yes\n");
  const auto inputs = [&](EncoderOptions options) {
    options.target = "y";
    const TableEncoder encoder(train, options);
    const Tensor tensor = encoder.inputs(train);
    const auto data = tensor.data<float>();
    return std::vector<float>(data.begin(), data.end());
  };
  using F = std::vector<float>;
  EXPECT_EQ(inputs({.missing = Missing::mean}), (F{1, 0, 1, 4, 1, 0, 4, 0, 1, 7, 0, 1}));
  EXPECT_EQ(inputs({.missing = Missing::median, .categories = Categories::codes}), (F{1, 1, 4, 0, 4, 1, 7, 1}));
  EXPECT_EQ(inputs({.missing = Missing::constant, .constant = -1, .categories = Categories::codes}),
            (F{1, 1, -1, 0, 4, 1, 7, 1}));
  EXPECT_EQ(inputs({.missing = Missing::indicator, .categories = Categories::codes}),
            (F{1, 0, 1, 0, 4, 1, 0, 0, 4, 0, 1, 1, 7, 0, 1, 0}));
  const TableEncoder encoder(train, {.target = "y", .missing = Missing::indicator});
  EXPECT_THAT(encoder.features(), ElementsAre("n", "n is missing", "c=blue", "c=red", "c is missing"));
  EXPECT_THAT(encoder.classes(), ElementsAre("no", "yes"));
  const Dataset set = encoder.dataset(train);
  EXPECT_EQ(set.class_names()[1], "yes");
  EXPECT_EQ(set.example_shape(), Shape{5});
  EXPECT_THAT(message_of(ErrorKind::value, [&] { TableEncoder(train, {.target = "y"}); }),
              HasSubstr(": column \"n\" has no value"));
}

TEST(Encoder, TheMedianOfAnEvenNumberLiesBetween) {
  const Table table = parse_csv("x\n1\n9\n4\nNA\n2\n", "t.csv");
  const Tensor inputs = TableEncoder(table, {.missing = Missing::median}).inputs(table);
  EXPECT_EQ(inputs.data<float>()[3], 3.f);
}

TEST(Encoder, LearnsFromTheTrainingTableAlone) {
  const Table train = parsed("n,c,y\n1,red,5\n3,blue,9\n");
  const TableEncoder encoder(train, {.target = "y", .missing = Missing::mean, .categories = Categories::codes});
  const Table test = parse_csv("y,c,n\n9,red,100\n5,red,\n", "test.csv", {.types = train.types()});
  const Tensor input_tensor = encoder.inputs(test), label_tensor = encoder.labels(test);
  const auto inputs = input_tensor.data<float>();
  EXPECT_THAT(std::vector<float>(inputs.begin(), inputs.end()),
              ElementsAre(100, 1, 2, 1));  // mean of 1 and 3, not of 100
  const auto labels = label_tensor.data<std::int64_t>();
  EXPECT_THAT(std::vector<std::int64_t>(labels.begin(), labels.end()), ElementsAre(1, 0));
  EXPECT_EQ(encoder.targets(test).data<float>()[0], 9.f);
  EXPECT_THAT(message_of(ErrorKind::value, [&] { encoder.inputs(parse_csv("n,c,y\n1,reed,5\n", "test.csv")); }),
              HasSubstr("did you mean \"red\"?"));
  EXPECT_THAT(message_of(ErrorKind::value, [&] { encoder.labels(parse_csv("n,c,y\n1,red,6\n", "test.csv")); }),
              HasSubstr("\"6\" in column \"y\" does not occur"));
}

}  // namespace
}  // namespace gradus::data
