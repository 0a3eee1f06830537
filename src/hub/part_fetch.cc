// See part_fetch.h.
#include "hub/part_fetch.h"

#include <fmt/format.h>

#include "hf2mlx/error.h"

namespace hf2mlx {
namespace {

struct OthersAreAtIt {};

}  // namespace

void PartFetch::run() {
  Retry retry(events_.sleep);
  try {
    while (!range_.is_empty()) try_once(retry);
  } catch (const OthersAreAtIt&) {
    return;
  }
}

void PartFetch::try_once(Retry& retry) {
  request_ = source_.request(range_);
  HubAnswer answer = session_.get(request_, *this);
  if (range_.is_empty()) return;
  if (range_.begin_bytes > furthest_bytes_) {
    furthest_bytes_ = range_.begin_bytes;
    retry.made_progress();
  }
  if (source_.has_moved(request_, answer)) return;
  if (answer.last.is_success() && answer.last.failure == Failure::kNone) {
    answer.last.failure = Failure::kTransient;
    answer.last.why = fmt::format("it ended at byte {}, expected {}", range_.begin_bytes, range_.end_bytes);
  }
  if (!retry.again(answer)) throw hub_error(session_.options(), source_.wanted(), answer);
}

void PartFetch::begin(const HubAnswer& answer) {
  if (source_.accept(request_, answer) != range_) begin_whole();
}

// The server knows no ranges, or has another content by now.
void PartFetch::begin_whole() {
  const uint64_t lost_bytes = file_.arrived_bytes();
  range_ = file_.restart_for(range_);
  if (range_.is_empty()) throw OthersAreAtIt();
  events_.advanced(-static_cast<int64_t>(lost_bytes));
}

void PartFetch::append(std::span<const std::byte> data) {
  if (data.empty()) return;
  file_.write(range_, data);
  events_.received(data.size());
  events_.advanced(static_cast<int64_t>(data.size()));
}

}  // namespace hf2mlx
