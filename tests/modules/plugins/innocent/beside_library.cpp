// Two libraries. The first needs the second.
#define EXPORTED extern "C" __attribute__((visibility("default")))

#ifdef NEXT
EXPORTED const char* NEXT();
EXPORTED const char* NAME() {
  return NEXT();
}
#else
EXPORTED const char* NAME() {
  return "Found beside the module.\n";
}
#endif
