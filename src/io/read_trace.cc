// See read_trace.h.
#include "io/read_trace.h"

namespace hf2mlx {
namespace {

thread_local ReadTrace* current_trace = nullptr;

}  // namespace

ReadTrace::ReadTrace() { current_trace = this; }
ReadTrace::~ReadTrace() { current_trace = nullptr; }
ReadTrace* ReadTrace::current() { return current_trace; }

}  // namespace hf2mlx
