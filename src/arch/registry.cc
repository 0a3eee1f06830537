#include "arch/registry.h"

#include <algorithm>
#include <fstream>
#include <sstream>

#include "arch/family_texts.h"
#include "hf2mlx/error.h"

namespace hf2mlx {
namespace {

std::string read_text(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) throw Error(ErrorCode::kIo, path.string() + ": cannot be read");
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

template <class Map>
void add_missing(Map& to, const Map& from) {
  to.insert(from.begin(), from.end());
}

// Sections that `d` leaves out are its base's; config and blocks add to it, and so do names of GGUF files behind its own.
void inherit(Description& d, const Description& base) {
  std::vector<ConfigStatement> config = base.config;
  config.insert(config.end(), d.config.begin(), d.config.end());
  d.config = std::move(config);
  add_missing(d.blocks, base.blocks);
  d.gguf.insert(d.gguf.end(), base.gguf.begin(), base.gguf.end());
  if (!d.has_section("modules")) d.modules = base.modules;
  if (!d.has_section("rules")) d.rules = base.rules;
  if (!d.has_section("quantize")) d.quantize = base.quantize;
  if (!d.has_section("cast")) d.cast_keep = base.cast_keep;
  if (!d.has_section("flags")) d.flags = base.flags;
  if (!d.layers) d.layers = base.layers;
}

size_t distance(const std::string& a, const std::string& b) {
  std::vector<size_t> row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = row[0];
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t above = row[j];
      row[j] = std::min({above + 1, row[j - 1] + 1, diagonal + (a[i - 1] == b[j - 1] ? 0 : 1)});
      diagonal = above;
    }
  }
  return row[b.size()];
}

}  // namespace

Registry::Registry(const std::filesystem::path& extra_folder) {
  for (size_t i = 0; i < kFamilyTextCount; ++i) texts_[kFamilyTexts[i].name] = kFamilyTexts[i].text;
  if (extra_folder.empty()) return;
  if (!std::filesystem::is_directory(extra_folder)) {
    throw Error(ErrorCode::kNotFound, extra_folder.string() + ": no such folder", "--arch-dir wants a folder of .arch files");
  }
  for (const auto& entry : std::filesystem::directory_iterator(extra_folder)) {
    if (entry.path().extension() == ".arch") texts_[entry.path().stem().string()] = read_text(entry.path());
  }
}

std::unique_ptr<Description> Registry::load(const std::string& name) const {
  const auto text = texts_.find(name);
  if (text == texts_.end()) throw Error(ErrorCode::kInternal, "no architecture description '" + name + "'");
  auto d = std::make_unique<Description>(parse_description(name, text->second));
  if (!d->base.empty()) inherit(*d, family(d->base));
  if (name[0] == '_') return d;
  for (const auto& [other, unused] : texts_) {
    if (other[0] != '_') continue;
    const Description& shared = family(other);
    add_missing(d->blocks, shared.blocks);
    if (d->base.empty()) d->gguf.insert(d->gguf.end(), shared.gguf.begin(), shared.gguf.end());
  }
  return d;
}

const Description& Registry::family(const std::string& name) const {
  auto& slot = parsed_[name];
  if (!slot) slot = load(name);
  return *slot;
}

std::vector<std::string> Registry::names() const {
  std::vector<std::string> out;
  for (const auto& [name, text] : texts_) {
    if (name[0] != '_') out.push_back(name);
  }
  return out;
}

const Description* Registry::find(const std::string& model_type, const std::vector<std::string>& architectures) const {
  const Description* found = nullptr;
  auto consider = [&](const std::string& name) {
    for (const ModelType& type : family(name).types) {
      if (type.name != model_type) continue;
      const bool narrowed = !type.architecture.empty();
      if (narrowed && std::find(architectures.begin(), architectures.end(), type.architecture) == architectures.end()) continue;
      if (!found || narrowed) found = &family(name);
    }
  };
  // Only texts that mention the type can read it; the others need not be parsed.
  for (const auto& [name, text] : texts_) {
    if (name[0] == '_') continue;
    if (name == model_type || text.find(model_type) != std::string::npos) consider(name);
  }
  return found;
}

std::vector<std::string> Registry::nearest(const std::string& model_type, size_t count) const {
  std::vector<std::pair<size_t, std::string>> ranked;
  for (const std::string& name : names()) {
    for (const ModelType& type : family(name).types) ranked.emplace_back(distance(model_type, type.name), type.name);
  }
  std::sort(ranked.begin(), ranked.end());
  std::vector<std::string> out;
  for (size_t i = 0; i < std::min(count, ranked.size()); ++i) out.push_back(ranked[i].second);
  return out;
}

}  // namespace hf2mlx
