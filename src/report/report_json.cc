// See report_json.h.
#include "report/report_json.h"

#include <ostream>

namespace hf2mlx {
namespace {

Json to_json(const TensorReport& tensor) {
  return {{"name", tensor.name},
          {"dtype", tensor.dtype},
          {"shape", tensor.shape},
          {"encoding", tensor.encoding},
          {"shard", tensor.shard},
          {"offset_bytes", tensor.offset_bytes},
          {"size_bytes", tensor.size_bytes}};
}

Json to_json(const SourceTensor& tensor) {
  return {
      {"name", tensor.name}, {"dtype", tensor.dtype}, {"shape", tensor.shape}, {"file", tensor.file}, {"size_bytes", tensor.size_bytes}};
}

Json to_json(const SizeChoice& choice) {
  return {{"label", choice.label}, {"bytes", choice.bytes}, {"bits_per_weight", choice.bits_per_weight}, {"options", choice.options}};
}

Json to_json(const FrontierPoint& point) {
  return {{"bytes", point.bytes}, {"bits_per_weight", point.bits_per_weight}, {"error", point.error}, {"chosen", point.chosen}};
}

Json to_json(const Finding& finding) {
  return {{"severity", name_of(finding.severity)},
          {"check", finding.check},
          {"place", finding.place},
          {"reason", finding.reason},
          {"remedy", finding.remedy},
          {"refused_by", finding.refused_by}};
}

// The error with which a step begins, and how many groups are in it, for steps that have some.
Json group_errors_json(const LayerError& error) {
  Json steps = Json::array();
  for (size_t step = 0; step < kErrorSteps; ++step) {
    if (error.group_errors[step] > 0) steps.push_back({error_of_step(step), error.group_errors[step]});
  }
  return steps;
}

Json to_json(const LayerError& error) {
  return {{"layer", error.layer},
          {"encoding", error.encoding},
          {"values", error.values},
          {"measured", error.measured},
          {"weighted", error.weighted},
          {"relative_rms", error.relative_rms},
          {"rounding_rms", error.rounding_rms},
          {"worst_group", error.worst_group},
          {"worst_index", error.worst_index},
          {"group_errors", group_errors_json(error)},
          {"zeros", error.zeros},
          {"rounding_zeros", error.rounding_zeros},
          {"source_zeros", error.source_zeros}};
}

Json to_json(const ListedModel& model) {
  const Inspection& inspection = model.inspection;
  return {{"model", model.name},
          {"revision", model.revision},
          {"path", inspection.source.string()},
          {"source_bytes", inspection.source_bytes},
          {"parameters", inspection.parameters},
          {"architecture", inspection.architecture},
          {"model_type", inspection.model_type},
          {"quantization", inspection.quantization},
          {"convertible", inspection.why_not.empty()},
          {"why_not", inspection.why_not}};
}

Json to_json(const ModelList& list) {
  Json models = Json::array();
  for (const ListedModel& model : list.models) models.push_back(to_json(model));
  return {{"folder", list.folder.string()}, {"models", models}};
}

template <typename T>
Json array_of(const std::vector<T>& items) {
  Json array = Json::array();
  for (const T& item : items) array.push_back(to_json(item));
  return array;
}

// All layers, and what they come to.
void add_errors(const std::vector<LayerError>& errors, Json& json) {
  if (errors.empty()) return;
  json["errors"] = array_of(errors);
  json["whole_error"] = to_json(whole_of(errors));
}

}  // namespace

Json to_json(const Report& report, DryRun dry_run) {
  Json json = {{"model", report.model},
               {"architecture", report.architecture},
               {"model_type", report.model_type},
               {"source", report.source.string()},
               {"output", report.output.string()},
               {"source_bytes", report.source_bytes},
               {"output_bytes", report.output_bytes},
               {"parameters", report.parameters},
               {"bits_per_weight", report.bits_per_weight},
               {"quantized_layers", report.quantized_layers},
               {"files", report.files},
               {"notes", report.notes},
               {"dry_run", dry_run == DryRun::kYes}};
  if (report.received_bytes > 0) json["received_bytes"] = report.received_bytes;
  if (!report.frontier.empty()) json["frontier"] = array_of(report.frontier);
  add_errors(report.errors, json);
  if (dry_run == DryRun::kYes) {
    json["tensors"] = array_of(report.tensors);
  } else {
    json["seconds"] = report.seconds;
  }
  return json;
}

Json to_json(const DownloadReport& report, DryRun dry_run) {
  Json files = Json::array();
  for (const DownloadedFile& file : report.files) {
    files.push_back({{"path", file.path}, {"size_bytes", file.size_bytes}, {"was_there", file.was_there}});
  }
  return {{"repo_id", report.repo_id},
          {"revision", report.revision},
          {"commit", report.commit},
          {"folder", report.folder.string()},
          {"files", files},
          {"total_bytes", report.total_bytes},
          {"received_bytes", report.received_bytes},
          {"notes", report.notes},
          {"dry_run", dry_run == DryRun::kYes},
          {"seconds", report.seconds}};
}

Json to_json(const UploadReport& report) {
  Json files = Json::array();
  for (const UploadedFile& file : report.files) {
    files.push_back({{"path", file.path}, {"size_bytes", file.size_bytes}, {"was_there", file.was_there}});
  }
  return {{"repo_id", report.repo_id},
          {"commit", report.commit},
          {"url", report.url},
          {"files", files},
          {"removed", report.removed},
          {"total_bytes", report.total_bytes},
          {"sent_bytes", report.sent_bytes},
          {"seconds", report.seconds}};
}

Json to_json(const Verification& verification) {
  Json json = {
      {"model", verification.model},     {"model_type", verification.model_type},     {"folder", verification.folder.string()},
      {"tensors", verification.tensors}, {"weight_bytes", verification.weight_bytes}, {"findings", array_of(verification.findings)},
      {"seconds", verification.seconds}};
  if (const auto& comparison = verification.comparison) {
    json["comparison"] = {{"source", comparison->source},
                          {"equal", comparison->equal},
                          {"different", comparison->different},
                          {"missing", comparison->missing},
                          {"unexpected", comparison->unexpected}};
  }
  add_errors(verification.errors, json);
  return json;
}

Json to_json(const Inspection& inspection) {
  Json dtypes = Json::object();
  for (const auto& [dtype, bytes] : inspection.dtypes) dtypes[dtype] = bytes;
  Json json = {{"model", inspection.model},
               {"architecture", inspection.architecture},
               {"model_type", inspection.model_type},
               {"quantization", inspection.quantization},
               {"convertible", inspection.why_not.empty()},
               {"why_not", inspection.why_not},
               {"source", inspection.source.string()},
               {"source_bytes", inspection.source_bytes},
               {"parameters", inspection.parameters},
               {"dtypes", dtypes},
               {"sizes", array_of(inspection.sizes)},
               {"tensors", array_of(inspection.tensors)},
               {"notes", inspection.notes}};
  if (inspection.received_bytes > 0) json["received_bytes"] = inspection.received_bytes;
  return json;
}

Json to_json(const std::vector<ArchInfo>& architectures) {
  Json array = Json::array();
  for (const ArchInfo& arch : architectures) {
    array.push_back({{"name", arch.name}, {"model_types", arch.model_types}, {"summary", arch.summary}, {"operations", arch.operations}});
  }
  return {{"architectures", array}};
}

Json to_json(const ModelLists& lists) { return {{"cache", to_json(lists.cache)}, {"lm_studio", to_json(lists.lm_studio)}}; }

Json to_json(const Error& error) {
  return {{"error", {{"code", name_of(error.code())}, {"message", error.what()}, {"hint", error.hint()}}}};
}

std::string json_text(const Json& json) { return json.dump(2, ' ', false, Json::error_handler_t::replace) + '\n'; }

void print_json(std::ostream& out, const Json& json) { out << json_text(json); }

}  // namespace hf2mlx
