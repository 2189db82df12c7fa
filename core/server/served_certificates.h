// What is known of the certificates in force. It logs those that a reload has changed, and warns when one is
// about to expire: when it is taken, and once a day. Supervisor's thread.
#pragma once

#include <vector>

#include "loop/alarm.h"
#include "settings/certificate_facts.h"

namespace sluice {

class ServedCertificates {
 public:
  // `loop` lives longer.
  explicit ServedCertificates(EventLoop& loop) : daily_(loop, [this] { warn(); }) {}

  // From a trial of the plan that serves from now on.
  void take(std::vector<CertificateFacts> facts);
  const std::vector<CertificateFacts>& all() const { return all_; }

 private:
  void warn();

  std::vector<CertificateFacts> all_;
  Alarm daily_;
};

// One sentence for each certificate that was not among those before, but whose file was.
std::vector<std::string> changes_of(const std::vector<CertificateFacts>& before,
                                    const std::vector<CertificateFacts>& now);

}  // namespace sluice
