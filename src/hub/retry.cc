// See retry.h.
#include "hub/retry.h"

#include "hub/hub_error.h"

namespace hf2mlx {
namespace {

using std::chrono::milliseconds;

constexpr unsigned kMostFailures = 5;
constexpr milliseconds kFirstPause{500};
// The hub counts requests in windows of five minutes. One that asks for more is better asked another day.
constexpr std::chrono::seconds kLongestPause{310};

}  // namespace

bool Retry::again(const HubAnswer& answer) {
  if (!is_transient(answer) || ++failures_ >= kMostFailures) return false;
  const std::chrono::seconds asked(asked_wait_seconds(answer.last));
  if (asked > kLongestPause) return false;
  sleep_(asked.count() > 0 ? milliseconds(asked) : kFirstPause * (1 << (failures_ - 1)));
  return true;
}

}  // namespace hf2mlx
