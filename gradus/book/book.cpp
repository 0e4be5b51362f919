#include "gradus/book/book.h"

#include <fmt/format.h>
#include <written_chapters.h>

#include <algorithm>
#include <iterator>

#include "gradus/base/error.h"

namespace gradus::book {
namespace {

/// "gradient-descent" of the folder gradient_descent.
bool same_name(std::string_view slug, std::string_view folder) {
  return std::equal(slug.begin(), slug.end(), folder.begin(), folder.end(),
                    [](char a, char b) { return a == b || (a == '-' && b == '_'); });
}

constexpr Entry all_entries[] = {
    {1, "deep-learning", "Deep and traditional learning",
     "Explain the concept of deep learning and how it differs from traditional machine learning approaches.",
     "classical machine learning ML vs AI feature engineering handcrafted representation features difference"},
    {2, "structure", "Structure of a neural network",
     "Describe the structure and components of a typical artificial neural network used in deep learning.",
     "neuron perceptron unit layer weights biases hidden layers width depth architecture universal approximation "
     "theorem parameters logits XOR multilayer MLP"},
    {3, "backpropagation", "Backpropagation",
     "Explain the backpropagation algorithm and its role in training deep learning models.",
     "backprop compute computed derivatives chain rule automatic differentiation autodiff autograd reverse mode "
     "forward mode computational graph "
     "jacobian gradient checkpointing"},
    {4, "limits", "Advantages and limits",
     "Discuss the advantages and limitations of deep learning in comparison to other machine learning techniques.",
     "pros and cons disadvantages benefits drawbacks strengths weaknesses alternatives tabular data trees random "
     "forest XGBoost boosting SVM catastrophic forgetting extrapolation cost explainable black box"},
    {5, "gradient-descent", "Gradient descent",
     "Describe the concept of gradient descent and its significance in optimizing deep learning models.",
     "optimizer SGD stochastic mini batch size learning rate schedule warmup momentum Nesterov Adam RMSprop Adagrad "
     "convergence local minimum loss surface"},
    {6, "vanishing-gradients", "Vanishing gradients",
     "Explain the vanishing gradient problem in deep learning and its impact on training deep neural networks.",
     "exploding gradients clipping initialisation Xavier Glorot He batch normalization layer normalization residual "
     "skip connections ResNet deep networks do not train tiny early layers"},
    {7, "overfitting", "Overfitting",
     "Discuss the concept of overfitting in deep learning and describe techniques to mitigate it.",
     "prevent avoid reduce underfit underfitting generalization gap bias variance memorize memorization training test "
     "data "
     "validation loss split "
     "early stopping double "
     "descent cross validation"},
    {8, "activations", "Activation functions",
     "Describe the role of activation functions in deep learning and provide examples of commonly used activation "
     "functions.",
     "ReLU leaky sigmoid tanh GELU SiLU swish SELU ELU softmax saturation dying dead nonlinearity nonlinear"},
    {9, "convolutions", "Convolutional networks",
     "Explain the concept of convolutional neural networks (CNNs) and their applications in image recognition "
     "tasks.",
     "CNN ConvNet convolution filter kernel pooling stride padding image classification computer vision object "
     "detection segmentation ResNet LeNet"},
    {10, "recurrence", "Recurrent networks",
     "Describe the role of recurrent neural networks (RNNs) in processing sequential data and provide examples of "
     "their applications.",
     "RNN LSTM GRU gates hidden state predict next time series forecasting sequence speech backpropagation through "
     "time"},
    {11, "transfer", "Transfer learning",
     "Discuss the concept of transfer learning in deep learning and describe how it can be beneficial in solving "
     "complex tasks.",
     "fine tuning finetune pretrained pretraining foundation model domain adaptation freeze backbone LoRA"},
    {12, "adversarial-networks", "Generative adversarial networks",
     "Explain the purpose and working principles of generative adversarial networks (GANs) in deep learning.",
     "GAN generator discriminator mode collapse WGAN Wasserstein image generation deepfake"},
    {13, "regularisation", "Regularisation",
     "Discuss the concept of regularization in deep learning and describe different regularization techniques used "
     "to "
     "prevent overfitting.",
     "weight decay dropout L1 L2 ridge lasso label smoothing mixup SAM sharpness aware minimization SWA max norm "
     "penalty"},
    {14, "augmentation", "Data augmentation",
     "Describe the process of data augmentation in deep learning and explain its significance in improving model "
     "performance.",
     "flip crop rotate images cutout random erasing synthetic data more training data mixup cutmix"},
    {15, "tuning", "Hyperparameter tuning",
     "Explain the concept of hyperparameter tuning in deep learning and describe techniques used to optimize "
     "hyperparameters.",
     "grid search random search Bayesian optimization Hyperband successive halving AutoML hyperparameter search"},
    {16, "scale", "Scaling up",
     "Discuss the challenges and considerations involved in scaling up deep learning models to handle large datasets "
     "and complex tasks.",
     "distributed training GPU cluster parallelism data parallel large batch mixed precision sharding checkpoint "
     "huge dataset memory throughput scaling laws"},
    {17, "unsupervised", "Unsupervised learning",
     "Describe the concept of unsupervised learning in the context of deep learning and provide examples of "
     "unsupervised deep learning algorithms.",
     "autoencoder VAE variational clustering self-supervised contrastive SimCLR diffusion PCA embedding "
     "representation without labels RBM generative"},
    {18, "language", "Natural language processing",
     "Explain the concept of natural language processing (NLP) and discuss how deep learning techniques are applied "
     "in NLP tasks.",
     "NLP text tokenizer tokenization BPE word embedding word2vec language model sentiment analysis machine "
     "translation summarization chatbot named entity BLEU perplexity GPT BERT LLM"},
    {19, "attention", "Attention",
     "Describe the concept of attention mechanisms in deep learning and their significance in tasks involving "
     "sequential or textual data.",
     "transformer self-attention multi-head query key value positional encoding KV cache FlashAttention vision "
     "transformer"},
    {20, "ethics", "Ethics",
     "Discuss the ethical implications and challenges associated with the use of deep learning models, particularly "
     "in sensitive domains such as healthcare or finance.",
     "fairness bias discrimination privacy differential privacy explainability interpretability SHAP accountability "
     "robustness adversarial examples regulation responsible AI patients credit calibration"},
};

}  // namespace

const std::vector<Entry>& entries() {
  static const std::vector<Entry> all(std::begin(all_entries), std::end(all_entries));
  return all;
}

std::optional<Chapter> find_chapter(const Entry& entry) {
  for (const Written& each : written())
    if (same_name(entry.slug, each.name)) return each.chapter();
  return std::nullopt;
}

std::string_view text_of(const Entry& entry) {
  for (const Written& each : written())
    if (same_name(entry.slug, each.name)) return {reinterpret_cast<const char*>(each.text.data()), each.text.size()};
  return {};
}

const Entry& entry_for(const std::string& what) {
  std::vector<std::string> slugs;
  for (const Entry& entry : entries()) {
    if (what == entry.slug || what == fmt::format("{}", entry.number)) return entry;
    slugs.emplace_back(entry.slug);
  }
  const bool words = what.find(' ') != std::string::npos;
  if (words || nearest_name(what, slugs).empty()) {
    const Answer answer = find_answer(what);
    if (answer.entry != nullptr) return *answer.entry;
    throw Error(ErrorKind::usage, "explain",
                words ? "the book does not cover this question" : "no chapter has this name")
        .field("asked", what)
        .hint("gradus explain lists the chapters");
  }
  throw Error(ErrorKind::usage, "explain", fmt::format("no chapter is called {}", what))
      .hint(fmt::format("did you mean {}? gradus explain lists the chapters", nearest_name(what, slugs)));
}

}  // namespace gradus::book
