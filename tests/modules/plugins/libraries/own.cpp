// A library that lies beside the module that needs it. The build chooses its version.
extern "C" [[gnu::visibility("default")]] const char* own_text() {
  return OWN_TEXT;
}
