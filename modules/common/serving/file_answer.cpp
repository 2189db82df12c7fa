// What an answer about a file carries: no content (304, 412, 416), one part, several parts, or all of it.
#include <optional>
#include <utility>

#include "common/explain.h"
#include "common/http/byte_ranges.h"
#include "common/http/preconditions.h"
#include "common/serving/file_decisions.h"
#include "common/serving/file_handler.h"
#include "common/serving/multipart_body.h"

namespace sluice::files {
namespace {

// The fields of a request that matter for the answer, found in one pass.
struct Asked {
  bool conditional = false;
  unsigned range_fields = 0;
  std::string_view range;
};

Asked look_at(const Request& request) {
  Asked asked;
  for (std::uint32_t i = 0; i < request.field_count; ++i) {
    const Field& field = request.fields[i];
    switch (field.id) {
      case FieldId::if_match:
      case FieldId::if_none_match:
      case FieldId::if_modified_since:
      case FieldId::if_unmodified_since:
      case FieldId::if_range:
        asked.conditional = true;
        break;
      case FieldId::range:
        ++asked.range_fields;
        asked.range = field.value;
        break;
      default:
        break;
    }
  }
  return asked;
}

}  // namespace

void FileHandler::answer(Exchange& exchange, const FileRef& file, Coding coding) {
  const Request& request = exchange.request();
  const Asked asked = look_at(request);
  bool range_applies = true;
  explain(exchange, [&] { return opening(*file, coding); });
  if (asked.conditional && answer_condition(exchange, *file, true, range_applies)) return;
  // Range is for GET alone (RFC 9110 section 14.2), and a repeated one is ignored.
  RangeRequest ranges;
  if (asked.range_fields == 1 && range_applies && request.method == Method::get) {
    ranges = resolve_ranges(asked.range, file->facts().size);
    explain(exchange, [&] { return ranges_found(ranges); });
  }
  if (ranges.kind == RangeRequest::Kind::unsatisfiable) {
    exchange.fields(file->validator_fields());
    exchange.field("Content-Range", "bytes */" + std::to_string(file->facts().size));
    return answer_error(exchange, 416);
  }
  if (coding != Coding::identity) exchange.field("Content-Encoding", coding_name(coding));
  add_common_fields(exchange, *file);
  if (ranges.kind == RangeRequest::Kind::partial)
    return answer_ranges(exchange, file, std::move(ranges.ranges));
  exchange.fields(file->fields());
  send_part(exchange, file, 0, file->facts().size);
}

bool FileHandler::answer_condition(Exchange& exchange, const OpenFile& file, bool has_validators,
                                   bool& range_applies) {
  Representation what;
  if (has_validators) what = {file.etag(), file.has_mtime(), file.facts().mtime_s, wall_seconds()};
  const Conditions conditions = judge_conditions(exchange.request(), what);
  range_applies = conditions.range_applies;
  explain(exchange, [&] { return judgement(exchange.request(), conditions); });
  if (conditions.verdict == Verdict::proceed) return false;
  if (has_validators) exchange.fields(file.validator_fields());
  if (conditions.verdict == Verdict::not_modified) {
    add_common_fields(exchange, file);
    exchange.status(304);
    exchange.send({});
  } else {
    answer_error(exchange, 412);
  }
  return true;
}

void FileHandler::answer_ranges(Exchange& exchange, const FileRef& file, std::vector<ByteRange> ranges) {
  const std::uint64_t size = file->facts().size;
  exchange.status(206);
  if (ranges.size() == 1) {
    const ByteRange& range = ranges.front();
    exchange.fields(file->fields());
    exchange.field("Content-Range", content_range(range, size));
    return send_part(exchange, file, range.first, range.size());
  }
  auto make_part = [this, file, ticket = exchange.ticket()](std::uint64_t offset, std::uint64_t part_size) {
    return make_body(file, offset, part_size, ticket);
  };
  auto body = std::make_unique<MultipartBody>(std::move(ranges), file->type(), size, std::move(make_part));
  exchange.fields(file->validator_fields());
  exchange.field("Content-Type", body->content_type());
  const std::uint64_t whole = body->size();
  exchange.stream(whole, body.release());
}

void FileHandler::send_part(Exchange& exchange, const FileRef& file, std::uint64_t offset, std::uint64_t size) {
  if (exchange.request().method == Method::head) return exchange.stream(size, new NoBody);
  if (const auto content = file->content(options_.inline_max))
    return exchange.send({content->data + offset, size});
  if (size == 0) return exchange.send({});
  exchange.stream(size, make_body(file, offset, size, exchange.ticket()));
}

}  // namespace sluice::files
