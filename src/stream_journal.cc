// See stream_journal.h.
#include "stream_journal.h"

#include <cstring>

namespace hf2mlx {
namespace {

enum class Kind : uint32_t { kWindow = 1, kBlock = 2 };

// Numbers as the processor has them: a journal does not leave its machine.
class Pack {
 public:
  template <typename T>
  Pack& add(const T& value) {
    const auto bytes = std::as_bytes(std::span(&value, 1));
    record.insert(record.end(), bytes.begin(), bytes.end());
    return *this;
  }
  Record record;
};

class Unpack {
 public:
  explicit Unpack(const Record& record) : record_(record) {}
  // Zero, and never `ok` again, behind the end.
  template <typename T>
  T get() {
    T value{};
    ok = ok && at_ + sizeof value <= record_.size();
    if (ok) std::memcpy(&value, record_.data() + at_, sizeof value);
    at_ += sizeof value;
    return value;
  }
  bool is_at_end() const { return ok && at_ == record_.size(); }
  bool ok = true;

 private:
  const Record& record_;
  size_t at_ = 0;
};

}  // namespace

StreamJournal::StreamJournal(const std::filesystem::path& path, size_t plans) {
  const std::vector<Record> records = read_record_log(path);
  for (const Record& record : records) take(record, plans);
  log_.emplace(path, records);
}

void StreamJournal::take(const Record& record, size_t plans) {
  Unpack in(record);
  const auto kind = in.get<Kind>();
  const auto first = in.get<uint32_t>();
  if (kind == Kind::kWindow) {
    const auto window = in.get<uint32_t>();
    const auto state = in.get<Sha256State>();
    std::vector<Sha256State>& states = states_[first];
    if (in.is_at_end() && window == states.size()) states.push_back(state);
  } else if (kind == Kind::kBlock) {
    BlockRecord block{in.get<Sha256State>(), std::vector<Loss>(plans)};
    for (Loss& loss : block.losses) loss = in.get<Loss>();
    if (in.is_at_end()) blocks_[first] = std::move(block);
  }
}

std::vector<Sha256State> StreamJournal::known(uint32_t file) { return states_[file]; }

void StreamJournal::hashed(uint32_t file, uint32_t window, const Sha256State& state) {
  log_->append(Pack().add(Kind::kWindow).add(file).add(window).add(state).record);
}

void StreamJournal::written(uint32_t number, const BlockRecord& record) {
  Pack pack;
  pack.add(Kind::kBlock).add(number).add(record.digest);
  for (const Loss& loss : record.losses) pack.add(loss);
  log_->append(pack.record);
}

}  // namespace hf2mlx
