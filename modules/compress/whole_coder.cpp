#include "compress/whole_coder.h"

#include "compress/coder.h"

namespace sluice::compress {

std::string code_whole(files::Coding coding, std::string_view content) {
  const std::unique_ptr<Coder> coder = make_coder(coding);
  coder->begin_thorough(content.size());
  const std::size_t whole_size = content.size();
  std::string coded;
  char made[Coder::kRoom];
  for (Push push = Push::nothing;;) {
    const Step step = coder->step(content, push, made);
    if (step.made >= whole_size - coded.size()) return {};
    coded.append(made, step.made);
    content.remove_prefix(step.taken);
    if (step.is_through && push == Push::end) break;
    if (step.is_through) push = Push::end;
  }
  coded.shrink_to_fit();
  return coded;
}

}  // namespace sluice::compress
