// Checkpoints with a value changed somewhere: whatever stands in a file of a model, the answer is a plan or an error that says what is
// wrong, never an exception of another kind, a defect of our own or a crash. Damages are random but the same in every run.
//
// Environment: HF2MLX_DAMAGES, how many for each case and kind of file; many find more.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <random>

#include "base/temp_folder.h"
#include "golden/golden_case.h"
#include "hf2mlx/convert.h"

namespace hf2mlx::golden {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr int kUsualDamages = 1;

int damages() {
  const char* value = std::getenv("HF2MLX_DAMAGES");
  return value ? std::atoi(value) : kUsualDamages;
}

// Values that programs stumble over.
json stumbling_block(std::mt19937& random) {
  static const json kBlocks =
      json::parse(R"([null, true, 0, 1, -1, 2, 3, 7, 64, 1048576, 1099511627776, 9223372036854775807, -9223372036854775808,
    18446744073709551615, 0.5, 1e300, -0.0, "", "x", "../x", "model.safetensors", [], {}, [1], [0, -1], {"a": 1}, ["x", "y"],
    {"group_size": 0, "bits": 4}])");
  return kBlocks[random() % kBlocks.size()];
}

// Changes, takes out or adds one value, at any depth; returns what was done.
std::string damage(json& document, std::mt19937& random) {
  const json flat = document.flatten();
  if (flat.empty()) return "nothing";
  auto at = flat.begin();
  std::advance(at, random() % flat.size());
  json::json_pointer place(at.key());
  while (!place.empty() && random() % 4 == 0) place.pop_back();  // a whole object
  if (place.empty()) place = json::json_pointer(at.key());
  json& parent = document[place.parent_pointer()];
  if (random() % 6 == 0) {
    if (parent.is_object())
      parent.erase(place.back());
    else
      parent.erase(std::stoul(place.back()));
    return place.to_string() + " left out";
  }
  const json value = stumbling_block(random);
  document[place] = value;
  return place.to_string() + " = " + value.dump();
}

// What comes of planning, with and without quantization, and of looking at the model: nothing, or the complaint.
std::string complaint(const fs::path& folder) {
  ConvertOptions options;
  options.source.model = folder.string();
  const std::function<void()> calls[] = {
      [&] { plan(options); },
      [&] {
        options.quant.quantize = true;
        plan(options);
      },
      [&] { inspect(options.source); },
  };
  for (const auto& call : calls) {
    try {
      call();
    } catch (const Error& error) {
      if (error.code() == ErrorCode::kInternal) return fmt::format("a defect: {}", error.what());
      if (std::string(error.what()).empty()) return "an error without words";
    } catch (const std::exception& error) {
      return fmt::format("an exception: {}", error.what());
    }
  }
  return {};
}

class Damaged {
 public:
  explicit Damaged(const fs::path& case_file) : golden_(load_case(case_file)) {
    std::seed_seq seed(golden_.name.begin(), golden_.name.end());
    random_.seed(seed);
    fs::remove_all(folder());
    materialize(golden_, HF2MLX_SOURCE_DIR "/tests/golden/tokenizer", folder());
  }

  fs::path folder() const { return root_ / "model"; }

  void config() {
    const std::string before = root_.text("model/config.json");
    for (int i = 0; i < damages(); ++i) {
      json config = json::parse(before, nullptr, false);
      if (config.is_discarded()) return;  // "Infinity"
      std::string done;
      for (unsigned n = 0; n <= random_() % 2; ++n) done += (n ? ", " : "") + damage(config, random_);
      root_.put("model/config.json", config.dump());
      expect_no_complaint(done);
    }
    root_.put("model/config.json", before);
  }

  // Bytes of the header of the first weight file.
  void header() {
    const fs::path file = first_weights();
    const std::string name = "model/" + file.filename().string();
    const std::string before = root_.text(name);
    uint64_t length = 0;
    std::memcpy(&length, before.data(), sizeof length);
    for (int i = 0; i < damages(); ++i) {
      json header = json::parse(before.substr(sizeof length, length));
      const std::string done = damage(header, random_);
      std::string text = header.dump();
      text.append((8 - text.size() % 8) % 8, ' ');
      const uint64_t size = text.size();
      root_.put(name, std::string(reinterpret_cast<const char*>(&size), sizeof size) + text + before.substr(sizeof length + length));
      expect_no_complaint("header: " + done);
    }
    root_.put(name, before);
  }

 private:
  fs::path first_weights() const {
    const fs::path single = folder() / "model.safetensors";
    if (fs::exists(single)) return single;
    for (const auto& entry : fs::directory_iterator(folder())) {
      if (entry.path().filename().string().starts_with("model-00001")) return entry.path();
    }
    throw std::runtime_error("no weights");
  }

  void expect_no_complaint(const std::string& done) {
    if (std::getenv("HF2MLX_DAMAGES")) fmt::print(stderr, "{}: {}\n", golden_.name, done);
    const std::string found = complaint(folder());
    EXPECT_EQ(found, "") << golden_.name << ": " << done;
  }

  const GoldenCase golden_;
  std::mt19937 random_;
  const TempFolder root_;
};

std::vector<fs::path> cases() {
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(HF2MLX_SOURCE_DIR "/tests/golden/cases")) files.push_back(entry.path());
  std::sort(files.begin(), files.end());
  return files;
}

TEST(GoldenDamaged, Config) {
  for (const fs::path& file : cases()) Damaged(file).config();
}

TEST(GoldenDamaged, Header) {
  for (const fs::path& file : cases()) Damaged(file).header();
}

}  // namespace
}  // namespace hf2mlx::golden
