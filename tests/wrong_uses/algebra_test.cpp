// Wrong uses of indexing, products and linear algebra and what is said about them.
#include <cmath>

#include "gradus/gradus.h"
#include "wrong_uses.h"

namespace gradus::testing {
namespace {

const std::vector<WrongUse> indexing = {
    {"scatter, type",
     [] {
       scatter(ones({2, 3}), 1, ones({2, 1}), ones({2, 1}));
     },
     R"(dtype error in scatter
  index  f32 [2, 1]   expected i64 or i32
  operand 0 comes from broadcast_to of f32 []
  operand 1 comes from broadcast_to of f32 []
  operand 2 comes from broadcast_to of f32 []
  hint: convert it: cast(index, DType::i64))"},
    {"scatter, out of range",
     [] {
       scatter(ones({2, 3}), 1, tensor({{3}, {0}}), 0);
     },
     R"(index error in scatter
  index  i64 [2, 1]   element [0, 0] is 3, expected 0 to 2)"},
    {"scatter, source",
     [] {
       scatter(ones({2, 3}), 1, tensor({{2}, {0}}), ones({1, 1}));
     },
     R"(shape error in scatter
  index   i64 [2, 1]
  source  f32 [1, 1]   expected the shape of the index
  operand 0 comes from broadcast_to of f32 []
  operand 2 comes from broadcast_to of f32 [])"},
    {"topk",
     [] {
       topk(ones({2, 3}), 4);
     },
     R"(value error in topk: k is 4, expected 0 to 3
  input  f32 [2, 3]
  input comes from broadcast_to of f32 [])"},
    {"kthvalue",
     [] {
       kthvalue(ones({2, 3}), 0);
     },
     R"(value error in kthvalue: k is 0, expected 1 to 3
  input  f32 [2, 3]
  input comes from broadcast_to of f32 [])"},
    {"median of nothing",
     [] {
       median(ones({2, 0}), 1);
     },
     R"(shape error in median: axis 1 is empty
  input  f32 [2, 0]
  input comes from broadcast_to of f32 [])"},
    {"searchsorted",
     [] {
       searchsorted(ones({2, 3}), ones({3, 1}));
     },
     R"(shape error in searchsorted
  sorted  f32 [2, 3]
  values  f32 [3, 1]   axis 0 is 3, expected 2
  operand 0 comes from broadcast_to of f32 []
  operand 1 comes from broadcast_to of f32 [])"},
    {"bucketize",
     [] {
       bucketize(ones({4}), ones({2, 3}));
     },
     R"(shape error in bucketize
  boundaries  f32 [2, 3]   expected 1 axis
  hint: searchsorted() accepts one sequence per row)"},
    {"histc", [] { histc(arange(4), 3); },
     R"(dtype error in histc: expected floating elements
  input  i64 [4])"},
    {"embedding, weight",
     [] {
       embedding(ones({5}), tensor({0, 1}));
     },
     R"(shape error in embedding
  weight  f32 [5]   expected 2 axes: (rows, size)
  index   i64 [2])"},
    {"embedding, padding",
     [] {
       embedding(ones({5, 2}), tensor({0, 1}), {.padding_idx = 5});
     },
     R"(value error in embedding
  weight       f32 [5, 2]
  padding_idx  5, expected -5 to 4)"},
    {"embedding, out of range",
     [] {
       eval(embedding(ones({5, 2}), tensor({0, 4}) + 1));
     },
     R"(index error in take: element 1 is 5, allowed are 0 to 4
  operand 1  i64 [2]
  hint: labels and indexes count from 0; check the number of classes or the size of the indexed axis)"},
    {"bag of one axis",
     [] {
       embedding_bag(ones({5, 2}), tensor({0, 1}));
     },
     R"(shape error in embedding_bag
  weight  f32 [5, 2]
  index   i64 [2]   expected 2 axes: (bags, length)
  hint: bags of different lengths have offsets: embedding_bag(weight, index, offsets))"},
    {"index_add",
     [] {
       index_add(ones({2, 3}), 0, tensor({0, 1}), ones({2, 2}));
     },
     R"(shape error in index_add
  input   f32 [2, 3]
  index   i64 [2]
  source  f32 [2, 2]   expected [2, 3])"},
    {"take_along_dim",
     [] {
       take_along_dim(ones({2, 3}), tensor({0}), 1);
     },
     R"(shape error in take_along_dim
  input  f32 [2, 3]
  index  i64 [1]   expected 2 axes)"},
    {"bincount",
     [] {
       bincount(tensor({0, -2}));
     },
     R"(value error in bincount
  input  i64 [2]   element [1] is -2, expected 0 to 2^40)"},
};

const std::vector<WrongUse> products = {
    {"bmm",
     [] {
       bmm(ones({2, 3, 4}), ones({3, 4, 2}));
     },
     R"(shape error in bmm
  a  f32 [2, 3, 4]
  b  f32 [3, 4, 2]   axis 0 is 3, expected 2)"},
    {"bmm of matrices",
     [] {
       bmm(ones({3, 4}), ones({3, 4, 2}));
     },
     R"(shape error in bmm
  a  f32 [3, 4]   expected 3 axes
  b  f32 [3, 4, 2])"},
    {"mv",
     [] {
       mv(ones({3, 4}), ones({3}));
     },
     R"(shape error in matmul: the inner axes differ
  a  f32 [3, 4]   axis 1 is 4
  b  f32 [3]      axis 0 is 3, expected 4)"},
    {"dot",
     [] {
       dot(ones({3, 4}), ones({3}));
     },
     R"(shape error in dot
  a  f32 [3, 4]   expected 1 axis
  b  f32 [3])"},
    {"tensordot",
     [] {
       tensordot(ones({3, 4}), ones({3, 4}), {{0, 1}});
     },
     R"(shape error in tensordot
  a  f32 [3, 4]   axis 0 is 3
  b  f32 [3, 4]   axis 1 is 4, expected 3)"},
    {"tensordot twice",
     [] {
       tensordot(ones({3, 3}), ones({3, 3}), {{0, 1}, {0, 0}});
     },
     R"(axis error in tensordot: axis 0 is given twice for a tensor with rank 2
  input  f32 [3, 3]
  input comes from broadcast_to of f32 [])"},
    {"kron",
     [] {
       kron(ones({1, 1, 1, 1, 1}), ones({2}));
     },
     R"(shape error in kron
  a  f32 [1, 1, 1, 1, 1]   expected at most 4 axes
  b  f32 [2]               expected at most 4 axes)"},
    {"cdist",
     [] {
       cdist(ones({3, 4}), ones({3, 5}));
     },
     R"(shape error in cdist
  a  f32 [3, 4]
  b  f32 [3, 5]   axis 1 is 5, expected 4)"},
    {"einsum, terms",
     [] {
       einsum("ij,jk->ik", {ones({2, 3})});
     },
     R"(value error in einsum: 2 terms for 1 operand
  equation  ij,jk->ik)"},
    {"einsum, labels",
     [] {
       einsum("ij,jk->ik", {ones({2, 3}), ones({2, 3, 4})});
     },
     R"(value error in einsum: 2 labels for operand 1, which is f32 [2, 3, 4]
  equation  ij,jk->ik
               ^)"},
    {"einsum, sizes",
     [] {
       einsum("ij,jk->ik", {ones({2, 3}), ones({4, 5})});
     },
     R"(shape error in einsum: label 'j' is 3, but 4 in operand 1
  equation  ij,jk->ik
               ^)"},
    {"einsum, result",
     [] {
       einsum("ij,jk->il", {ones({2, 3}), ones({3, 5})});
     },
     R"(value error in einsum: label 'l' of the result is in no operand
  equation  ij,jk->il
                    ^)"},
    {"einsum, twice",
     [] {
       einsum("ij,jk->ikk", {ones({2, 3}), ones({3, 5})});
     },
     R"(value error in einsum: label 'k' is twice in the result
  equation  ij,jk->ikk
                     ^)"},
    {"einsum, character",
     [] {
       einsum("ij,j1->i", {ones({2, 3}), ones({3, 5})});
     },
     R"(value error in einsum: '1' is neither a letter nor "..."
  equation  ij,j1->i
                ^)"},
    {"einsum, ellipsis",
     [] {
       einsum("...i...,i", {ones({2, 3}), ones({3})});
     },
     R"(value error in einsum: a second ellipsis in one term
  equation  ...i...,i
                ^)"},
};

const std::vector<WrongUse> linear_algebra = {
    {"cholesky of a rectangle",
     [] {
       linalg::cholesky(ones({2, 3}));
     },
     R"(shape error in cholesky
  input  f32 [2, 3]   a matrix of 2 x 3, expected a square one
  operand 0 comes from broadcast_to of f32 [])"},
    {"cholesky of integers",
     [] {
       linalg::cholesky(ones({3, 3}, DType::i64));
     },
     R"(dtype error in cholesky
  input  i64 [3, 3]   expected f32 or f64
  operand 0 comes from broadcast_to of i64 [])"},
    {"not positive definite",
     [] {
       eval(linalg::cholesky(stack({eye(2), -eye(2)})));
     },
     R"(value error in cholesky: matrix [1] of the batch is not positive definite
  input  f32 [2, 2, 2])"},
    {"singular",
     [] {
       eval(linalg::solve(ones({2, 2}), ones({2})));
     },
     R"(value error in solve: the matrix is singular
  input  f32 [2, 2])"},
    {"singular in a batch",
     [] {
       eval(linalg::inv(stack({stack({eye(2), eye(2)}), stack({ones({2, 2}), eye(2)})})));
     },
     R"(value error in solve: matrix [1, 0] of the batch is singular
  input  f32 [2, 2, 2, 2])"},
    {"solve, rows",
     [] {
       linalg::solve(ones({3, 3}), ones({2, 1}));
     },
     R"(shape error in solve
  a  f32 [3, 3]
  b  f32 [2, 1]   expected [3, 1]
  operand 0 comes from broadcast_to of f32 []
  operand 1 comes from broadcast_to of f32 [])"},
    {"solve, batches",
     [] {
       linalg::solve(ones({2, 3, 3}), ones({4, 3, 1}));
     },
     R"(shape error in solve
  a  f32 [2, 3, 3]   the batches do not broadcast
  b  f32 [4, 3, 1])"},
    {"triangular with a zero",
     [] {
       eval(linalg::solve_triangular(zeros({2, 2}), ones({2, 1}), {.upper = true}));
     },
     R"(value error in triangular_solve: the matrix is singular
  input  f32 [2, 2])"},
    {"eigenvalues of NaN",
     [] {
       eval(linalg::eigh(full({2, 2}, NAN)).values);
     },
     R"(value error in eigh: the matrix holds NaN or infinity
  input  f32 [2, 2])"},
    {"svd of a vector", [] { linalg::svd(ones({3})); },
     R"(shape error in svd
  input  f32 [3]   expected 2 or more axes
  operand 0 comes from broadcast_to of f32 [])"},
    {"lstsq",
     [] {
       linalg::lstsq(ones({3, 2}), ones({4}));
     },
     R"(shape error in lstsq
  a  f32 [3, 2]   3 rows
  b  f32 [4, 1]   4 rows)"},
    {"norm by name",
     [] {
       linalg::matrix_norm(ones({3, 2}), "max");
     },
     R"(value error in matrix_norm
  order  "max", expected "fro", "nuc" or a number)"},
    {"norm by number",
     [] {
       linalg::matrix_norm(ones({3, 2}), 3);
     },
     R"(value error in matrix_norm
  order  3, expected 1, 2, inf or their negatives)"},
    {"power of a rectangle",
     [] {
       linalg::matrix_power(ones({3, 2}), 2);
     },
     R"(shape error in matrix_power: expected square matrices
  input  f32 [3, 2]
  input comes from broadcast_to of f32 [])"},
};

TEST(WrongUses, Indexing) { check_wrong_uses(indexing); }
TEST(WrongUses, Products) { check_wrong_uses(products); }
TEST(WrongUses, LinearAlgebra) { check_wrong_uses(linear_algebra); }

}  // namespace
}  // namespace gradus::testing
