// Reports and inspections for people.
#pragma once

#include <iosfwd>

#include "hf2mlx/report.h"

namespace hf2mlx::cli {

// After a conversion: size before and after, time, place, and how to run it. Notes are not part of it.
void print_summary(std::ostream& out, const Report& report);
// How the model is called in LM Studio, for a target inside its models folder.
void print_lm_studio_summary(std::ostream& out, const Report& report);

// Every tensor of the output, and the sums.
void print_plan(std::ostream& out, const Report& report);

enum class Tensors { kCount, kList };
void print_inspection(std::ostream& out, const Inspection& inspection, Tensors tensors);

}  // namespace hf2mlx::cli
