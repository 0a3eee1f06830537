// The operations that targets of rules may name: a thin layer from expressions to transform/ops.h.
#include <algorithm>

#include "arch/rules.h"
#include "hf2mlx/error.h"
#include "transform/ops.h"

namespace hf2mlx {
namespace {

using Args = std::vector<Json>;

int axis(const Json& v) { return static_cast<int>(to_int(v)); }

Shape extents(const Json& list) {
  Shape out;
  for (const Json& x : list) {
    const int64_t n = to_int(x);
    out.push_back(n < 0 ? ops::kInferred : static_cast<uint64_t>(n));
  }
  return out;
}

std::vector<int> axis_list(const Json& list) {
  std::vector<int> out;
  for (const Json& x : list) out.push_back(axis(x));
  return out;
}

Dtype dtype_arg(const Json& v) {
  const auto dtype = dtype_from_name(v.get<std::string>());
  if (!dtype) throw Error(ErrorCode::kInternal, "unknown dtype " + v.dump());
  return *dtype;
}

uint64_t length(const TensorRef& t, int at) {
  const auto n = static_cast<int>(t->shape().size());
  const int i = at < 0 ? at + n : at;
  if (i < 0 || i >= n) throw Error(ErrorCode::kCorrupt, "tensor of shape " + to_string(t->shape()) + " has no axis " + std::to_string(at));
  return t->shape()[static_cast<size_t>(i)];
}

// part(axis, i, n): the i-th of n equal parts.
TensorRef part(const TensorRef& t, const Args& a) {
  const auto size = static_cast<int64_t>(length(t, axis(a.at(0))));
  const int64_t i = to_int(a.at(1)), n = to_int(a.at(2));
  if (size % n != 0)
    throw Error(ErrorCode::kCorrupt,
                "tensor of shape " + to_string(t->shape()) + " cannot be split in " + std::to_string(n) + " equal parts");
  return ops::slice(t, axis(a.at(0)), i * (size / n), (i + 1) * (size / n));
}

TensorRef slice_op(const TensorRef& t, const Args& a) {
  const int64_t end = a.size() > 2 && !a[2].is_null() ? to_int(a[2]) : ops::kEnd;
  return ops::slice(t, axis(a.at(0)), to_int(a.at(1)), end, a.size() > 3 ? to_int(a[3]) : 1);
}

TensorRef mul_rows(const TensorRef& t, const Args& a) {
  std::vector<float> factors;
  for (const Json& x : a.at(0)) factors.push_back(static_cast<float>(to_real(x)));
  return ops::multiply_rows(t, ops::constant(factors, t->dtype()));
}

struct Operation {
  std::string_view name;
  TensorRef (*apply)(const TensorRef&, const Args&);
};

constexpr Operation kOperations[] = {
    {"add", [](const TensorRef& t, const Args& a) { return ops::add_scalar(t, to_real(a.at(0))); }},
    {"cast", [](const TensorRef& t, const Args& a) { return ops::cast(t, dtype_arg(a.at(0))); }},
    {"e8m0", [](const TensorRef& t, const Args&) { return ops::e8m0_from_float(t); }},
    {"gate_alpha", [](const TensorRef& t, const Args&) { return ops::residual_gate_alpha(t); }},
    {"gate_beta", [](const TensorRef& t, const Args&) { return ops::residual_gate_beta(t); }},
    {"move", [](const TensorRef& t, const Args& a) { return ops::moveaxis(t, axis(a.at(0)), axis(a.at(1))); }},
    {"mul", [](const TensorRef& t, const Args& a) { return ops::multiply_scalar(t, to_real(a.at(0))); }},
    {"mul_rows", mul_rows},
    {"norm_gain", [](const TensorRef& t, const Args&) { return ops::norm_gain(t); }},
    {"normalize_cols", [](const TensorRef& t, const Args&) { return ops::normalize_cols(t); }},
    {"normalize_rows", [](const TensorRef& t, const Args&) { return ops::normalize_rows(t); }},
    {"part", part},
    {"repeat", [](const TensorRef& t, const Args& a) { return ops::repeat(t, axis(a.at(0)), static_cast<uint64_t>(to_int(a.at(1)))); }},
    {"reshape", [](const TensorRef& t, const Args& a) { return ops::reshape(t, extents(a.at(0))); }},
    {"slice", slice_op},
    {"swap", [](const TensorRef& t, const Args& a) { return ops::swapaxes(t, axis(a.at(0)), axis(a.at(1))); }},
    {"take", [](const TensorRef& t, const Args& a) { return ops::take(t, axis(a.at(0)), to_int(a.at(1))); }},
    {"transpose", [](const TensorRef& t, const Args& a) { return ops::transpose(t, axis_list(a.at(0))); }},
    {"view", [](const TensorRef& t, const Args& a) { return ops::view(t, dtype_arg(a.at(0))); }},
};

}  // namespace

TensorRef apply_operation(const Expr& call, const TensorRef& tensor, const Scope& scope) {
  for (const Operation& operation : kOperations) {
    if (operation.name != call.text) continue;
    Args args;
    for (const ExprRef& arg : call.args) args.push_back(arg->eval(scope));
    return operation.apply(tensor, args);
  }
  throw Error(ErrorCode::kInternal, "unknown operation '" + call.text + "'");
}

std::vector<std::string> operation_names() {
  std::vector<std::string> names;
  for (const Operation& operation : kOperations) names.emplace_back(operation.name);
  return names;
}

}  // namespace hf2mlx
