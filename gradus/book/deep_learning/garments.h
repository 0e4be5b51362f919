// Chapter 1 on larger images: learning curves on Fashion-MNIST, beside those of other programs.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "gradus/book/chapter.h"
#include "gradus/insight/claims.h"

namespace gradus::book {

/// Whether Fashion-MNIST is installed or was fetched.
bool has_garments();

/// What chapter 1 leaves out: see Chapter::left_out. `svm`, `garments`: what there is.
std::map<std::string, std::string> deep_learning_left_out(Effort effort, bool svm, bool garments);

/// Test accuracy of a convolutional network and of an RBF SVM (C 10) on 2,000 test images, after the same 1,000 training images.
insight::Pair convolutions_and_kernels(std::uint64_t seed);

/// The learning curves, and how they agree with the reference.
void garments_figures(Notebook& notebook, Effort effort);

}  // namespace gradus::book
