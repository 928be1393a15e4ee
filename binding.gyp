{
  "targets": [
    {
      "target_name": "pipework",
      "sources": ["<!@(sed s,^,native/, native/sources.txt)"],
      "include_dirs": ["<!(node -p \"require('node-addon-api').include_dir\")"],
      "defines": ["NAPI_VERSION=9", "NAPI_DISABLE_CPP_EXCEPTIONS", "NODE_API_SWALLOW_UNTHROWABLE_EXCEPTIONS", "_GNU_SOURCE"],
      "cflags": ["-O2", "-fvisibility=hidden", "-Wall", "-Wextra"],
      "cflags!": ["-O3"],
      "cflags_cc!": ["-fno-exceptions", "-fno-rtti", "-std=gnu++17", "-std=gnu++20", "-O3"],
      "cflags_cc": ["-std=gnu++17", "-fexceptions", "-fvisibility-inlines-hidden"],
      "ldflags": ["-Wl,-z,relro,-z,now", "-Wl,--version-script=<(module_root_dir)/native/exports.map"]
    }
  ]
}
