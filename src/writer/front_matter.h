// The YAML block at the top of a model card: read, changed in a few places, and written again with every other line as it stood.
#pragma once

#include <yaml-cpp/yaml.h>

#include <list>
#include <optional>
#include <string>
#include <string_view>

namespace hf2mlx {

// The text between the two "---" lines that open a card, as huggingface_hub delimits it; nothing when there is none.
std::optional<std::string_view> find_front_matter(std::string_view card);

// YAML readers differ over what `no`, 1.10 or a folded text means, and a parsed tree does not tell the spellings apart. So the parser only
// says whether the text is sound and where each top-level key begins; what is not changed is kept as text, comments included.
class FrontMatter {
 public:
  FrontMatter() = default;
  // Throws Error{kCorrupt} when the text is not YAML, or not a mapping with each key on a line of its own. Empty text is an empty mapping.
  explicit FrontMatter(std::string_view yaml);

  bool has(std::string_view key) const;  // with a value that is not null
  // In place where the key is there, else at the end. The value is read as this string by every YAML version.
  void set(std::string_view key, std::string_view value);
  void remove(std::string_view key);
  // Makes the value a list of words with `item` among them. A single word that was there becomes the first.
  void add_to_list(std::string_view key, std::string_view item);
  // Ends in a newline unless empty. Throws Error{kCorrupt} when a change broke the rest (an alias to what was replaced, for instance).
  std::string dump() const;

 private:
  struct Entry {
    std::string key;  // empty for a key that is not a scalar
    std::string text;
    YAML::Node value;
  };
  const Entry* find(std::string_view key) const;
  void put(std::string_view key, std::string_view yaml_value, const YAML::Node& value);

  std::string before_;        // comments
  std::string indent_;        // of all keys
  std::list<Entry> entries_;  // a list, because assigning one YAML::Node to another changes every node that shares it
};

}  // namespace hf2mlx
