#include "cli/table.h"

#include <gtest/gtest.h>

#include <sstream>

namespace hf2mlx::cli {
namespace {

TEST(Table, AlignsColumnsAndLeavesNoTrailingSpace) {
  Table table({{"NAME"}, {"SIZE", Align::kRight}, {"NOTE"}});
  EXPECT_TRUE(table.empty());
  table.add({"a", "1 B", ""});
  table.add({"caf\xc3\xa9-long", "1000 B", "x"});
  std::ostringstream out;
  table.print(out, 2);
  EXPECT_EQ(out.str(),
            "  NAME         SIZE  NOTE\n"
            "  a             1 B\n"
            "  caf\xc3\xa9-long  1000 B  x\n");
}

}  // namespace
}  // namespace hf2mlx::cli
