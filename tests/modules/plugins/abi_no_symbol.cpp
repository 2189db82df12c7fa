// A shared object that is not a module: it does not export sluice_module.
extern "C" __attribute__((visibility("default"))) int nothing_of_sluice() {
  return 1;
}
