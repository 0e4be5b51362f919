// What users do wrong with files of data, tables and splits, and what they are told.
#include <gtest/gtest.h>

#include "gradus/data/fetch/known.h"
#include "gradus/data/fetch/tar.h"
#include "gradus/data/png.h"
#include "gradus/data/read/cifar.h"
#include "gradus/data/read/jpeg.h"
#include "gradus/data/sources.h"
#include "gradus/data/split/split.h"
#include "gradus/data/table/csv.h"
#include "gradus/data/table/encoder.h"
#include "gradus/io/atomic_file.h"
#include "gradus/io/npy.h"
#include "gradus/ops/factory.h"
#include "tests/support/files.h"
#include "tests/wrong_uses/wrong_uses.h"

namespace gradus {
namespace {

using testing::check_wrong_uses;

struct Folder {
  testing::TemporaryFolder folder;
  std::string path(const std::string& name) const { return folder / name; }
  /// The path of a new file.
  std::string file(const std::string& name, const std::string& content) const {
    io::write_file(path(name), content);
    return path(name);
  }
};

void csv(const std::string& text) { data::parse_csv(text, "t.csv"); }

TEST(WrongUses, Tables) {
  const Folder in;
  check_wrong_uses(
      {
          {"csv: empty file", [] { csv(""); }, "format error in read_csv (t.csv:1:1): the file holds no line"},
          {"csv: too few fields", [] { csv("a,b\n1,2\n3\n"); },
           "format error in read_csv (t.csv:3:2): 1 fields, where the first line has 2\n  hint: is the delimiter the "
           "right one? (option delimiter)"},
          {"csv: too many fields", [] { csv("a,b\n1,2,3\n"); },
           "format error in read_csv (t.csv:2:5): 3 fields, where the first line has 2"},
          {"csv: open quote", [] { csv("a,b\n1,\"two\n"); },
           "format error in read_csv (t.csv:2:3): the quote that opens here is never closed"},
          {"csv: quote inside a field", [] { csv("a,b\n1,t\"wo\n"); },
           "format error in read_csv (t.csv:2:4): a quote inside a field that does not begin with one\n  hint: put the "
           "whole field into quotes, and double those inside: \"5\"\" disk\""},
          {"csv: column twice", [] { csv("a,b,a\n1,2,3\n"); },
           "format error in read_csv (t.csv:1:5): the column name \"a\" is used twice\n  hint: a file without a line "
           "of names: option header = false"},
          {"csv: column without a name", [] { csv("a,,c\n1,2,3\n"); },
           "format error in read_csv (t.csv:1:3): column 2 has no name\n  hint: a file without a line of names: option "
           "header = false"},
          {"csv: field of another type",
           [] {
             data::parse_csv("age\n31\nold\n", "t.csv", {.types = {{"age", data::ColumnType::i64}}});
           },
           "format error in read_csv (t.csv:3:1): \"old\" in column \"age\" is not an integer"},
          {"csv: number beyond f32",
           [] {
             const data::Table table = data::parse_csv("x\n1\n1e300\n", "t.csv");
             data::TableEncoder(table, {}).inputs(table);
           },
           "value error in encode (t.csv:3): 1e+300 in column \"x\" is not finite in f32"},
          {"csv: quote as delimiter", [] { data::parse_csv("a\n1\n", "t.csv", {.delimiter = '"'}); },
           "value error in read_csv (t.csv): the delimiter cannot be a quote, a line break or a zero byte"},
          {"csv: file that is not there", [&] { data::read_csv(in.path("none.csv")); },
           "input/output error in read_csv (DIR/none.csv): cannot open the file: No such file or directory"},
          {"table: column that is not there", [] { data::parse_csv("age,height\n1,2\n", "t.csv").column("hight"); },
           "value error in table (t.csv): there is no column \"hight\"\n  columns  age, height\n  hint: did you mean "
           "\"height\"?"},
          {"table: row that is not there",
           [] { data::parse_csv("age\n1\n", "t.csv").select(std::vector<std::int64_t>{1}); },
           "index error in select (t.csv): row 1 of 1 rows"},
      },
      in.folder.path());
}

TEST(WrongUses, Splits) {
  check_wrong_uses({
      {"split: fractions beyond one",
       [] {
         data::random_split(10, {0.5, 0.6}, 1);
       },
       "value error in split: the fractions are 0.5, 0.6\n  expected  positive numbers that sum up to 1"},
      {"split: negative fraction",
       [] {
         data::random_split(10, {1.5, -0.5}, 1);
       },
       "value error in split: the fractions are 1.5, -0.5\n  expected  positive numbers that sum up to 1"},
      {"split: part without rows",
       [] {
         data::random_split(2, {0.9, 0.05, 0.05}, 1);
       },
       "value error in split: part 2 of 2 rows is empty\n  fraction  0.05"},
      {"split: class too small",
       [] {
         data::stratified_split(std::vector<std::int64_t>{0, 0, 1}, {0.5, 0.5}, 1);
       },
       "value error in split: class 1 has 1 rows for 2 parts\n  hint: leave the class out, or use fewer parts"},
      {"split: negative label",
       [] {
         data::stratified_split(std::vector<std::int64_t>{0, -1, 0, 0}, {0.5, 0.5}, 1);
       },
       "value error in split: label -1 in row 1 is negative"},
      {"split: one group for two parts",
       [] {
         data::grouped_split(std::vector<std::int64_t>{7, 7, 7}, {0.5, 0.5}, 1);
       },
       "value error in split: 1 groups for 2 parts\n  hint: a group is never divided: use fewer parts"},
      {"split: one fold", [] { data::k_fold(10, 1, 1); },
       "value error in split: 1 folds of 10 rows\n  expected  2 to 10 folds"},
      {"split: more folds than rows", [] { data::k_fold(3, 4, 1); },
       "value error in split: 4 folds of 3 rows\n  expected  2 to 3 folds"},
      {"split: row in two parts",
       [] {
         data::check_disjoint({{0, 1}, {1, 2}}, 3);
       },
       "value error in split: row 1 stands in part 1 and in part 2"},
      {"split: group in two parts",
       [] {
         data::check_groups({{0}, {1}}, std::vector<std::int64_t>{5, 5});
       },
       "value error in split: group 5 stands in two parts\n  row  0 in part 1\n  row  1 in part 2\n  hint: "
       "grouped_split keeps groups together"},
  });
}

TEST(WrongUses, DataFiles) {
  const Folder in;
  check_wrong_uses(
      {
          {"npy: no array", [&] { io::load_npy(in.file("a.npy", "hello, world")); },
           "format error in load_npy (DIR/a.npy): this is not a .npy file\n  expected  the bytes 93 4e 55 4d 50 59 at "
           "its start"},
          {"npy: empty file", [&] { io::load_npy(in.file("b.npy", "")); },
           "format error in load_npy (DIR/b.npy): this is not a .npy file\n  expected  the bytes 93 4e 55 4d 50 59 at "
           "its start"},
          {"npz: no archive", [&] { io::load_npz(in.file("a.npz", "hello, world")); },
           "format error in load_npz (DIR/a.npz): this is not a zip archive"},
          {"npy: nothing to write", [&] { io::save_npy(in.path("c.npy"), Tensor()); },
           "value error in save_npy (DIR/c.npy): there is no tensor"},
          {"npz: name that leaves the folder",
           [&] {
             io::save_npz(in.path("c.npz"), {{"../x", ones({1})}});
           },
           "value error in save_npz (DIR/c.npz): \"../x\" is no name for a file in an archive"},
          {"jpeg: no picture", [&] { data::read_jpeg(in.file("a.jpg", "hello, world")); },
           "format error in read_jpeg (DIR/a.jpg): Not a JPEG file: starts with 0x68 0x65"},
          {"jpeg: empty file", [&] { data::read_jpeg(in.file("b.jpg", "")); },
           "format error in read_jpeg (DIR/b.jpg): Empty input file"},
          {"jpeg: two channels", [&] { data::read_jpeg(in.file("c.jpg", "x"), {.channels = 2}); },
           "value error in read_jpeg (DIR/c.jpg): channels is 2, expected 0 (as stored), 1 or 3"},
          {"png: no picture", [&] { data::read_png(in.file("a.png", "hello, world")); },
           "format error in read_png (DIR/a.png): Not a PNG file"},
          {"cifar: part of a record",
           [&] { data::read_cifar(in.file("a.bin", std::string(100, '\1')), data::CifarLabels::ten); },
           "format error in read_cifar (DIR/a.bin): the file does not consist of whole records\n  expected  a multiple "
           "of 3073 bytes\n  found     100 bytes\n  hint: a download or a copy that was cut off, or the version for "
           "Python?"},
          {"cifar: label out of range",
           [&] { data::read_cifar(in.file("b.bin", std::string(3073, '\12')), data::CifarLabels::ten); },
           "format error in read_cifar (DIR/b.bin): label 10 in record 0 is out of range\n  expected  0 to 9"},
          {"load: unknown name", [] { data::load("digit", data::Split::train); },
           "configuration error in load: there is no data set \"digit\"\n  known  fashion-mnist, digits, "
           "breast-cancer, friedman, cifar-10, cifar-100, idx, csv, image-folder\n  hint: did you mean \"digits\"?"},
          {"load: csv without a file", [] { data::load("csv", data::Split::train); },
           "configuration error in load (csv): train_path is missing"},
          {"load: csv without a target", [] { data::load("csv", data::Split::train, {.train_path = "t.csv"}); },
           "configuration error in load (csv): target is missing"},
      },
      in.folder.path());
}

TEST(WrongUses, FetchedFiles) {
  const Folder in;
  check_wrong_uses(
      {
          {"fetch: no address", [] { data::fetch("set.csv", "set.csv"); },
           "usage error in fetch: \"set.csv\" is no address of http or https\n  hint: https://HOST/PATH"},
          {"fetch: no sum", [] { data::fetch("https://a.org/b", "b", {.sha256 = "12ab"}); },
           "usage error in fetch: \"12ab\" is no SHA-256 sum\n  hint: 64 hexadecimal digits"},
          {"fetch: over a file", [&] { data::fetch("https://a.org/b", in.file("b", "mine")); },
           "input/output error in fetch (DIR/b): the file exists already\n  hint: remove it, or choose another name"},
          {"fetch: over a file of another sum",
           [&] { data::fetch("https://a.org/b", in.file("c", "mine"), {.sha256 = std::string(64, 'a')}); },
           "input/output error in fetch (DIR/c): the file exists already\n  hint: its content has another sum; remove "
           "it, or choose another name"},
          {"fetch: a data set that is part of the library", [] { data::fetch_source("digits"); },
           "usage error in fetch: there is no data set \"digits\" to fetch\n  known  fashion-mnist, cifar-10, "
           "cifar-100\n  hint: anything else by its address: https://HOST/PATH"},
          {"untar: no archive", [&] { data::untar(in.file("a.tar", std::string(1024, 'x')), in.path("out")); },
           "format error in untar (DIR/a.tar): this is not a tar archive, or it is damaged"},
          {"untar: over a folder", [&] { data::untar(in.file("b.tar", ""), in.folder.path()); },
           "input/output error in untar (DIR): the folder exists already\n  hint: remove it, or name another"},
      },
      in.folder.path());
}

}  // namespace
}  // namespace gradus
