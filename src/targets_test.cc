#include "targets.h"

#include <gtest/gtest.h>

#include "base/temp_folder.h"

namespace hf2mlx {
namespace {

TEST(Target, HashesWhatIsSmallOrAskedFor) {
  const TempFolder folder;
  ConvertOptions options;
  options.output = folder / "out";
  const auto hashes = [&](uint64_t bytes, bool asked) {
    Plan plan;
    plan.output_bytes = bytes;
    options.checksums = asked;
    return Target(options, plan, "").hashes_weights();
  };
  EXPECT_TRUE(hashes(kFreelyHashedBytes, false));
  EXPECT_FALSE(hashes(kFreelyHashedBytes + 1, false));
  EXPECT_TRUE(hashes(kFreelyHashedBytes + 1, true));
}

}  // namespace
}  // namespace hf2mlx
