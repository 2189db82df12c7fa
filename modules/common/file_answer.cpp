// What an answer about a file carries: nothing new (304), nothing at all (412, 416), a part, several, or the
// whole.
#include <optional>

#include "common/byte_ranges.h"
#include "common/file_handler.h"
#include "common/multipart_body.h"
#include "common/preconditions.h"

namespace sluice::files {
namespace {

// What of a request's fields bears on the answer, found in one pass.
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

void FileHandler::answer(Exchange& exchange, const FileRef& file) {
  const Request& request = exchange.request();
  const Asked asked = look_at(request);
  bool range_applies = true;
  add_common_fields(exchange);
  if (asked.conditional && answer_condition(exchange, *file, range_applies)) return;
  // Range is for GET alone (RFC 9110 section 14.2), and two of them are none.
  const bool ranged = asked.range_fields == 1 && range_applies && request.method == Method::get;
  if (ranged && answer_ranges(exchange, file, asked.range)) return;
  exchange.fields(file->fields());
  send_part(exchange, file, 0, file->facts().size);
}

bool FileHandler::answer_condition(Exchange& exchange, const OpenFile& file, bool& range_applies) {
  const Representation what{file.etag(), file.has_mtime(), file.facts().mtime_s, wall_seconds()};
  const Conditions conditions = judge_conditions(exchange.request(), what);
  range_applies = conditions.range_applies;
  if (conditions.verdict == Verdict::proceed) return false;
  exchange.fields(file.validator_fields());
  if (conditions.verdict == Verdict::not_modified) {
    exchange.status(304);
    exchange.send({});
  } else {
    answer_error(exchange, 412);
  }
  return true;
}

bool FileHandler::answer_ranges(Exchange& exchange, const FileRef& file, std::string_view field) {
  const std::uint64_t size = file->facts().size;
  const RangeRequest asked = resolve_ranges(field, size);
  if (asked.kind == RangeRequest::Kind::whole) return false;
  if (asked.kind == RangeRequest::Kind::unsatisfiable) {
    exchange.fields(file->validator_fields());
    exchange.field("Content-Range", "bytes */" + std::to_string(size));
    answer_error(exchange, 416);
    return true;
  }
  exchange.status(206);
  if (asked.ranges.size() == 1) {
    const ByteRange& range = asked.ranges.front();
    exchange.fields(file->fields());
    exchange.field("Content-Range", content_range(range, size));
    send_part(exchange, file, range.first, range.size());
    return true;
  }
  auto make_part = [this, file, ticket = exchange.ticket()](std::uint64_t offset, std::uint64_t part_size) {
    return make_body(file, offset, part_size, ticket);
  };
  auto body = std::make_unique<MultipartBody>(asked.ranges, file->type(), size, std::move(make_part));
  exchange.fields(file->validator_fields());
  exchange.field("Content-Type", body->content_type());
  const std::uint64_t whole = body->size();
  exchange.stream(whole, body.release());
  return true;
}

void FileHandler::send_part(Exchange& exchange, const FileRef& file, std::uint64_t offset, std::uint64_t size) {
  if (exchange.request().method == Method::head) return exchange.stream(size, new NoBody);
  if (const auto content = file->content(options_.inline_max))
    return exchange.send({content->data + offset, size});
  if (size == 0) return exchange.send({});
  exchange.stream(size, make_body(file, offset, size, exchange.ticket()));
}

}  // namespace sluice::files
