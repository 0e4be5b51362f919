// All operations.
#pragma once

#include "gradus/ops/activation.h"
#include "gradus/ops/adaptive_pool.h"
#include "gradus/ops/concat.h"
#include "gradus/ops/conv.h"
#include "gradus/ops/elementwise.h"
#include "gradus/ops/factory.h"
#include "gradus/ops/index.h"
#include "gradus/ops/matmul.h"
#include "gradus/ops/pool.h"
#include "gradus/ops/random.h"
#include "gradus/ops/reduce.h"
#include "gradus/ops/scan.h"
#include "gradus/ops/softmax.h"
#include "gradus/ops/view.h"
