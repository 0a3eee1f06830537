// Converts golden cases with the library and judges what comes out.
#pragma once

#include <filesystem>
#include <set>
#include <string>
#include <vector>

#include "golden/golden_case.h"

namespace hf2mlx::golden {

enum class Verdict {
  kAgrees,   // tensors and config are what mlx_lm writes
  kFails,    // they are not, or the conversion fails, or it fails in a way that is a bug whatever the input
  kExempt,   // the reference writes a wrong model: not compared
  kRefuses,  // mlx_lm refuses, and so do we
  kExceeds,  // mlx_lm refuses, we convert
};

struct VariantResult {
  std::string variant;
  Verdict verdict;
  std::vector<std::string> messages;  // differences, or the refusal
};

// A folder of cases with its lists. Const methods are thread-safe.
class Suite {
 public:
  explicit Suite(const std::filesystem::path& root);

  const std::vector<std::string>& case_names() const noexcept { return names_; }
  // Entries of the lists that name no case or variant.
  std::vector<std::string> unknown_entries() const;
  // The list has the case as a whole, or this variant of it.
  bool is_pending(const std::string& name) const { return pending_.contains(name); }
  bool is_pending(const std::string& name, const std::string& variant) const { return pending_.contains(name + "/" + variant); }

  // One result for each variant. `arch_dir` may be empty, see SourceOptions.
  std::vector<VariantResult> run(const std::string& name, const std::filesystem::path& arch_dir) const;

 private:
  bool is_exempt(const std::string& name, const std::string& variant) const {
    return exempt_.contains(name) || exempt_.contains(name + "/" + variant);
  }
  std::filesystem::path file_of(const std::string& name) const { return root_ / "cases" / (name + ".json"); }

  std::filesystem::path root_;
  std::vector<std::string> names_;  // sorted
  std::set<std::string> exempt_;
  std::set<std::string> pending_;
};

}  // namespace hf2mlx::golden
