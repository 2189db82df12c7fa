// Takes forms with files, and tells what came.
#include <sluice/kit.h>
#include <sluice/kit/uploads.h>
#include <sluice/module.h>

#include <string>

namespace {

namespace kit = sluice::kit;

constexpr sluice::OptionInfo kOptions[] = {
    {.name = "folder", .fallback = "/tmp", .help = "Of the files"},
    {.name = "target", .help = "Of those that are kept; empty: the same"},
    {.name = "queue_max", .type = sluice::OptionType::number, .fallback = "20000", .help = "For the disk"},
    {.name = "size_max", .type = sluice::OptionType::size, .fallback = "16M", .help = "Of a form"},
};

class KitUploads : public kit::Service {
 public:
  explicit KitUploads(sluice::Host& host)
      : Service(host),
        folder_(std::string_view(host.option("folder"))),
        target_(host.option("target").size == 0 ? folder_
                                                : std::string(std::string_view(host.option("target")))) {
    on("POST", "", &KitUploads::tell);
    on("POST", "keep", &KitUploads::keep);
  }

 private:
  kit::UploadLimits limits() const {
    kit::UploadLimits limits;
    limits.folder = folder_;
    limits.size_max = host().number("size_max");
    limits.memory_max = 1000;
    limits.queue_max = host().number("queue_max");
    limits.parts_max = 4;
    return limits;
  }
  static std::uint64_t sum(std::string_view bytes) {
    std::uint64_t sum = 0;
    for (const char byte : bytes) sum = sum * 31 + static_cast<unsigned char>(byte);
    return sum;
  }
  static std::string content_of(const kit::UploadPart& part) {
    if (part.fd() < 0) return part.content;
    std::string bytes(part.size + 1, '\0');
    bytes.resize(static_cast<std::size_t>(::pread(part.fd(), bytes.data(), bytes.size(), 0)));
    return bytes;
  }
  kit::Flow tell(kit::Call& call) {
    const kit::UploadLimits given = limits();
    const kit::Upload upload = co_await kit::upload(call, given);
    std::string text;
    for (const kit::UploadPart& part : upload) {
      text += part.name + " " + part.file_name.value_or("-") + " " + part.type + " " +
              std::to_string(part.size) + (part.fd() < 0 ? " memory " : " file ") +
              std::to_string(sum(content_of(part))) + "\n";
    }
    call.send(200, "text/plain", text);
  }
  kit::Flow keep(kit::Call& call) {
    const kit::UploadLimits given = limits();
    kit::Upload upload = co_await kit::upload(call, given);
    bool kept = true;
    co_await call.offload([&] {
      try {
        for (const kit::UploadPart& part : upload) part.save(target_ + "/" + part.name);
      } catch (const std::runtime_error&) {
        kept = false;
      }
      upload.close_files();
    });
    call.done(kept ? 201 : 500);
  }

  const std::string folder_;
  const std::string target_;
};

}  // namespace

SLUICE_MODULE(KitUploads, .name = "kit_uploads", .version = "1.0.0", .summary = "Takes files",
              .options = kOptions, .option_count = 4, .needs = sluice::kNeedsWriting);
