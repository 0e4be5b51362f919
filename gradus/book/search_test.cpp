// Which questions find which chapter: as people type them, short and long, in other words, and misspelt.
#include <gtest/gtest.h>

#include "gradus/book/book.h"

namespace gradus::book {
namespace {

constexpr struct {
  const char *question, *slug;
} typed[] = {
    {"deep learning vs machine learning", "deep-learning"},
    {"what is deep learning", "deep-learning"},
    {"difference between classical ML and deep learning", "deep-learning"},
    {"how does deep learning differ from traditional machine learning?", "deep-learning"},
    {"do I need feature engineering with neural nets", "deep-learning"},
    {"what is a neuron in a neural network", "structure"},
    {"parts of a neural network", "structure"},
    {"what are weights and biases", "structure"},
    {"how many hidden layers do i need", "structure"},
    {"universal approximation theorem", "structure"},
    {"why can't a perceptron learn xor", "structure"},
    {"backprop", "backpropagation"},
    {"how does back propagation work", "backpropagation"},
    {"whats backpropogation", "backpropagation"},
    {"chain rule for computing gradients of a network", "backpropagation"},
    {"reverse mode automatic differentiation", "backpropagation"},
    {"pros and cons of deep learning", "limits"},
    {"is XGBoost better than a neural network", "limits"},
    {"random forest or neural net for tabular data?", "limits"},
    {"disadvantages of neural networks", "limits"},
    {"catastrophic forgetting", "limits"},
    {"what is gradient descent", "gradient-descent"},
    {"gradient decent", "gradient-descent"},
    {"SGD vs Adam, which optimizer should I use", "gradient-descent"},
    {"how do I choose the learning rate", "gradient-descent"},
    {"stochastic gradient descent and mini batches", "gradient-descent"},
    {"what is momentum", "gradient-descent"},
    {"vanishing gradients", "vanishing-gradients"},
    {"vanishing gradiant problem", "vanishing-gradients"},
    {"why do deep sigmoid networks not train", "vanishing-gradients"},
    {"exploding gradients and gradient clipping", "vanishing-gradients"},
    {"how do residual connections help", "vanishing-gradients"},
    {"what is overfitting", "overfitting"},
    {"over-fitting", "overfitting"},
    {"my model does well on training data but badly on test data", "overfitting"},
    {"validation loss goes up while training loss goes down", "overfitting"},
    {"double descent", "overfitting"},
    {"how to prevent overfiting", "overfitting"},
    {"relu vs sigmoid vs tanh", "activations"},
    {"what does an activation function do", "activations"},
    {"dying relu", "activations"},
    {"gelu or silu in transformers", "activations"},
    {"why do neural networks need nonlinearity", "activations"},
    {"what is dropout", "regularisation"},
    {"L1 and L2 regularization", "regularisation"},
    {"weight decay", "regularisation"},
    {"difference between adam and adamw weight decay", "regularisation"},
    {"label smoothing and mixup", "regularisation"},
    {"what is a CNN", "convolutions"},
    {"convolutional neural network for image classification", "convolutions"},
    {"RNN", "recurrence"},
    {"LSTM and GRU for time series", "recurrence"},
    {"fine tuning a pretrained model", "transfer"},
    {"transfer learning", "transfer"},
    {"how do GANs work", "adversarial-networks"},
    {"generator and discriminator", "adversarial-networks"},
    {"data augmentation", "augmentation"},
    {"flip and crop images to get more training data", "augmentation"},
    {"hyperparameter search, grid or random", "tuning"},
    {"bayesian optimization of hyperparameters", "tuning"},
    {"distributed training on many GPUs", "scale"},
    {"how to train on huge datasets", "scale"},
    {"autoencoders", "unsupervised"},
    {"clustering without labels", "unsupervised"},
    {"NLP", "language"},
    {"sentiment analysis and machine translation", "language"},
    {"self-attention in transformers", "attention"},
    {"attention mechanism", "attention"},
    {"fairness and bias in AI", "ethics"},
    {"privacy of patients in healthcare models", "ethics"},
    {"is deep learning the same as machine learning", "deep-learning"},
    {"how are gradients computed in a neural net", "backpropagation"},
    {"central differences gradient check", "backpropagation"},
    {"are neural networks better than SVMs on small tables", "limits"},
    {"lerning rate too high", "gradient-descent"},
    {"nesterov momentum", "gradient-descent"},
    {"batch size", "gradient-descent"},
    {"batch normalization", "vanishing-gradients"},
    {"xavier initialization", "vanishing-gradients"},
    {"gradients become tiny in early layers", "vanishing-gradients"},
    {"my model memorizes the training set", "overfitting"},
    {"early stoping", "overfitting"},
    {"generalisation gap", "overfitting"},
    {"leaky relu", "activations"},
    {"swish activation", "activations"},
    {"sharpness aware minimization", "regularisation"},
    {"ridge vs lasso", "regularisation"},
    {"predict the next value of a sequence with an LSTM", "recurrence"},
    {"LoRA", "transfer"},
    {"mode collapse", "adversarial-networks"},
    {"rotate images", "augmentation"},
    {"grid search", "tuning"},
    {"data parallel training", "scale"},
    {"variational autoencoder", "unsupervised"},
    {"tokenization of text", "language"},
    {"query key value", "attention"},
    {"differential privacy", "ethics"},
};

TEST(Search, QuestionsAsPeopleTypeThem) {
  for (const auto& row : typed) {
    const Answer answer = find_answer(row.question);
    if (answer.entry == nullptr) {
      ADD_FAILURE() << row.question << " finds nothing";
      continue;
    }
    EXPECT_EQ(answer.entry->slug, row.slug) << row.question << " -> " << answer.section << " " << answer.score;
  }
}

TEST(Search, OtherQuestionsAreNotCovered) {
  for (const char* question : {"how tall is mount everest",
                               "best pizza dough recipe",
                               "how do I fix a flat bicycle tyre",
                               "what time does the train to Zurich leave",
                               "translate good morning into Japanese",
                               "who painted the Mona Lisa",
                               "symptoms of the flu",
                               "how to learn the guitar",
                               "weather tomorrow in Berlin",
                               "what is the largest prime number",
                               "how do I renew my passport",
                               "cheap flights to Lisbon",
                               "rules of chess",
                               "how does a diesel engine work",
                               "why is the sky blue",
                               "how to cook rice",
                               "what is the speed of light",
                               "how do plants grow",
                               "learn to play piano",
                               "bank opening hours",
                               "is coffee healthy",
                               "how to train a dog",
                               "stock price of apple",
                               "how do neurons in the brain work",
                               "linear algebra basics",
                               "football rules",
                               "how do I loose weight",
                               "the best network provider",
                               "why is the loss of biodiversity bad"}) {
    const Answer answer = find_answer(question);
    if (answer.entry != nullptr)
      ADD_FAILURE() << question << " -> " << answer.entry->slug << ": " << answer.section << " " << answer.score;
  }
}

}  // namespace
}  // namespace gradus::book
