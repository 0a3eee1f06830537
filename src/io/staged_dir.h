// A folder that appears complete or not at all.
//
// It is made beside its target, as ".<name>.hf2mlx-partial-<process>-<number>", filled by the caller, and renamed by commit(). A folder
// that is being filled is locked; folders of that name without a lock are left over from runs that died, and the next run for the same
// target removes them. One that has a purpose may be kept when its run ends early: the next run with the same purpose goes on with it, one
// with another purpose removes it, and so does any other run for the target once it has committed.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "io/fd.h"

namespace hf2mlx {

// What to do about a target that exists.
enum class Existing { kRefuse, kReplace };

// How far commit() waits for the disk. Where an old folder is replaced it always waits for all of the new one: until then the old one is
// all there is.
enum class Durability {
  kLikeCopy,    // a new target is written back by the system in its own time, as a copied file is
  kBeforeName,  // a target has its name only when all of it is on the disk
};

// The refusals of StagedDir's constructor, before there is anything to fill it with; and Error{kIo} where there is no right to write.
void check_target(const std::filesystem::path& target, Existing existing);

// Not thread-safe. Any number may exist at once, but one for a target, whichever process has it.
class StagedDir {
 public:
  // Resolves the target (see resolve_target), removes left-overs, makes missing parents and the folder to fill. Error{kUsage} when the
  // target exists and is not to be replaced, when it is a folder that the current one lies in, and while another StagedDir fills one for
  // it. A purpose, if any, is one line of text.
  StagedDir(const std::filesystem::path& target, Existing existing, const std::string& purpose = {});
  // Without commit(), removes the folder and the parents that were made for it, unless it is to be kept.
  ~StagedDir();
  StagedDir(const StagedDir&) = delete;
  StagedDir& operator=(const StagedDir&) = delete;

  const std::filesystem::path& path() const { return path_; }      // fill this; empty after commit()
  const std::filesystem::path& target() const { return target_; }  // absolute, links resolved

  // With a purpose, what follows. Where the run may keep what the next one needs, which commit() removes.
  std::filesystem::path work_folder() const;
  bool is_continued() const { return is_continued_; }  // there is what an earlier run has left
  // Whether what is here is of use to the next run: at first, what an earlier run has left is.
  void keep() { keeps_ = true; }
  void give_up() { keeps_ = false; }

  // Gives the folder the target's name, durable as asked. A target that exists is exchanged in one step where the file system can;
  // elsewhere it is renamed aside first, and should the process die just then, the next run puts it back. The old folder is deleted last.
  void commit(Durability durability = Durability::kBeforeName);

 private:
  void make_parents();
  void begin(const std::string& purpose);
  bool take_left_over(const std::string& purpose);
  void make_folder();
  bool try_folder();
  void check_still_free() const;
  void discard();

  Existing existing_;
  std::filesystem::path target_;
  std::filesystem::path path_;
  std::vector<std::filesystem::path> made_parents_;  // outermost first
  Fd lock_;
  bool is_continued_ = false;
  bool keeps_ = false;
};

}  // namespace hf2mlx
