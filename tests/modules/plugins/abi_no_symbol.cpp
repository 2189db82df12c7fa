// A shared object that is no module: it does not export what modules do.
extern "C" __attribute__((visibility("default"))) int nothing_of_sluice() {
  return 1;
}
