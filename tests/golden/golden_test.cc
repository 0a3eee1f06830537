// Every golden case as a test of its own. README.md here says what is compared.
//
//   golden_test [CASE...]             tests of the cases that match (shell patterns); all without any. GoogleTest's flags work, too:
//                                     a case is Golden.NAME there, with ~ for -, which means something else in --gtest_filter
//   golden_test --summary [CASE...]   one line a case instead, nothing is tested against pending.txt
//   golden_test --failing [CASE...]   what fails, in the form of pending.txt
//
// Environment: HF2MLX_ARCH_DIR, a folder of architecture descriptions to try first; HF2MLX_GOLDEN_DIR, another folder of cases.
#include <fmt/format.h>
#include <fnmatch.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <thread>

#include "golden/generator.h"
#include "golden/runner.h"
#include "io/digest.h"

namespace hf2mlx::golden {
namespace {

namespace fs = std::filesystem;

constexpr size_t kShownMessages = 40;
constexpr size_t kShownColumns = 150;  // of the first message, in a summary

fs::path path_from_environment(const char* name, const char* otherwise) {
  const char* value = std::getenv(name);
  return value != nullptr ? value : otherwise;
}

const Suite& suite() {
  static const Suite instance(path_from_environment("HF2MLX_GOLDEN_DIR", HF2MLX_SOURCE_DIR "/tests/golden"));
  return instance;
}

std::vector<VariantResult> run_case(const std::string& name) { return suite().run(name, path_from_environment("HF2MLX_ARCH_DIR", "")); }

bool fails(const VariantResult& result) { return result.verdict == Verdict::kFails; }

class CaseTest : public testing::Test {
 public:
  explicit CaseTest(std::string name) : name_(std::move(name)) {}

  void TestBody() override {
    const auto results = run_case(name_);
    for (const auto& result : results) check(result);
    const bool all_pass = std::none_of(results.begin(), results.end(), fails);
    EXPECT_FALSE(suite().is_pending(name_) && all_pass) << "remove it from pending.txt: " << name_;
  }

 private:
  void check(const VariantResult& result) const {
    const bool is_pending = suite().is_pending(name_, result.variant);
    EXPECT_FALSE(is_pending && !fails(result)) << "remove it from pending.txt: " << name_ << "/" << result.variant;
    if (!fails(result) || is_pending || suite().is_pending(name_)) return;
    std::string text = fmt::format("{}/{}: {} differences\n", name_, result.variant, result.messages.size());
    for (size_t i = 0; i < std::min(kShownMessages, result.messages.size()); ++i) text += "  " + result.messages[i] + "\n";
    ADD_FAILURE() << text;
  }

  std::string name_;
};

TEST(GoldenLists, NameOnlyWhatExists) { EXPECT_EQ(suite().unknown_entries(), std::vector<std::string>{}); }

std::string digest_of(Dtype dtype, std::string_view fill) {
  Digest hash(Hash::kSha256);
  hash.update(tensor_values("model.norm.weight", dtype, 1000, fill));
  return hash.finish().substr(0, kDigestLength);
}

// The digests come from oracle.py; a case whose checkpoint is wrong would say nothing about a conversion.
TEST(GoldenGenerator, MakesTheValuesOfTheOracle) {
  EXPECT_EQ(digest_of(Dtype::kBF16, "normal"), "a938bc26cd7dbdc5");
  EXPECT_EQ(digest_of(Dtype::kF16, "normal"), "16f06a66a588c88f");
  EXPECT_EQ(digest_of(Dtype::kF32, "positive"), "115f9bb800514cbc");
  EXPECT_EQ(digest_of(Dtype::kF64, "normal"), "93890f9c50d64398");
  EXPECT_EQ(digest_of(Dtype::kBF16, "ones"), "fedbacf004a65d69");
  EXPECT_EQ(digest_of(Dtype::kI32, "zeros"), "fc19b19971194257");
  EXPECT_EQ(digest_of(Dtype::kF8E4M3, ""), "70f384601cfd6c35");
  EXPECT_EQ(digest_of(Dtype::kU8, "e8m0"), "20cebba7d91ddde0");
  EXPECT_EQ(digest_of(Dtype::kU32, ""), "e2d54628a6900a49");
  EXPECT_EQ(digest_of(Dtype::kBool, ""), "7be12876e09ddcdb");
}

std::vector<std::string> chosen_cases(int argc, char** argv) {
  std::vector<std::string> out;
  for (const auto& name : suite().case_names()) {
    const auto matches = [&](const char* pattern) { return fnmatch(pattern, name.c_str(), 0) == 0; };
    if (argc == 1 || std::any_of(argv + 1, argv + argc, matches)) out.push_back(name);
  }
  return out;
}

void register_tests(const std::vector<std::string>& names) {
  for (const auto& name : names) {
    std::string test = name;
    std::replace(test.begin(), test.end(), '-', '~');
    testing::RegisterTest("Golden", test.c_str(), nullptr, nullptr, __FILE__, __LINE__,
                          [name]() -> testing::Test* { return new CaseTest(name); });
  }
}

// Results of all cases, in their order, by as many threads as there are cores.
std::vector<std::vector<VariantResult>> run_all(const std::vector<std::string>& names) {
  std::vector<std::vector<VariantResult>> results(names.size());
  std::atomic<size_t> next{0};
  const auto work = [&] {
    for (size_t i; (i = next++) < names.size();) results[i] = run_case(names[i]);
  };
  std::vector<std::thread> threads;
  for (unsigned i = 0; i < std::max(1u, std::thread::hardware_concurrency()); ++i) threads.emplace_back(work);
  for (auto& thread : threads) thread.join();
  return results;
}

size_t count(const std::vector<VariantResult>& results, Verdict verdict) {
  return std::count_if(results.begin(), results.end(), [verdict](const auto& result) { return result.verdict == verdict; });
}

std::string summary_line(const std::string& name, const std::vector<VariantResult>& results) {
  const size_t failed = count(results, Verdict::kFails);
  std::string line = fmt::format("{:<4} {:<34} {:>2}/{:<2}", failed == 0 ? "ok" : "FAIL", name, results.size() - failed, results.size());
  const auto add = [&](Verdict verdict, const char* word) {
    if (const size_t n = count(results, verdict)) line += fmt::format(" {} {}", n, word);
  };
  add(Verdict::kRefuses, "refused");
  add(Verdict::kExceeds, "beyond mlx_lm");
  add(Verdict::kExempt, "exempt");
  const auto first = std::find_if(results.begin(), results.end(), fails);
  if (first != results.end())
    line += fmt::format("  {}: {} ({} differences)", first->variant, first->messages[0].substr(0, kShownColumns), first->messages.size());
  return line;
}

int print_summary(const std::vector<std::string>& names) {
  const auto all = run_all(names);
  size_t variants = 0, failed = 0, failed_cases = 0;
  for (size_t i = 0; i < names.size(); ++i) {
    fmt::print("{}\n", summary_line(names[i], all[i]));
    const size_t n = count(all[i], Verdict::kFails);
    variants += all[i].size();
    failed += n;
    failed_cases += n > 0;
  }
  fmt::print("{} of {} cases, {} of {} variants pass\n", names.size() - failed_cases, names.size(), variants - failed, variants);
  return failed == 0 ? 0 : 1;
}

int print_failing(const std::vector<std::string>& names) {
  const auto all = run_all(names);
  for (size_t i = 0; i < names.size(); ++i) {
    const bool all_fail = std::all_of(all[i].begin(), all[i].end(), fails);
    if (all_fail) fmt::print("{}\n", names[i]);
    for (const auto& result : all[i]) {
      if (fails(result) && !all_fail) fmt::print("{}/{}\n", names[i], result.variant);
    }
  }
  return 0;
}

// Thousands of small files are synced: memory spares minutes. TMPDIR says otherwise where it is set.
void prefer_memory() {
  if (fs::is_directory("/dev/shm")) setenv("TMPDIR", "/dev/shm", 0);
}

// Takes `flag` out of the arguments when it comes first.
bool take_flag(int& argc, char**& argv, std::string_view flag) {
  if (argc < 2 || argv[1] != flag) return false;
  --argc;
  ++argv;
  return true;
}

}  // namespace
}  // namespace hf2mlx::golden

int main(int argc, char** argv) {
  using namespace hf2mlx::golden;
  prefer_memory();
  testing::InitGoogleTest(&argc, argv);
  if (take_flag(argc, argv, "--summary")) return print_summary(chosen_cases(argc, argv));
  if (take_flag(argc, argv, "--failing")) return print_failing(chosen_cases(argc, argv));
  register_tests(chosen_cases(argc, argv));
  return RUN_ALL_TESTS();
}
