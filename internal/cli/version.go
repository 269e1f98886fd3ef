package cli

import (
	"fmt"
	"runtime"
	"runtime/debug"
)

// Version says which source the command was built from, and with what: the
// module version or "devel", the commit ("+" if the tree had changes), the
// version of Go and the platform.
func Version() string {
	version, commit, dirty := "devel", "", ""
	if info, ok := debug.ReadBuildInfo(); ok {
		if info.Main.Version != "" && info.Main.Version != "(devel)" {
			version = info.Main.Version
		}
		for _, s := range info.Settings {
			switch {
			case s.Key == "vcs.revision":
				commit = ", commit " + s.Value[:min(12, len(s.Value))]
			case s.Key == "vcs.modified" && s.Value == "true":
				dirty = "+"
			}
		}
	}
	return fmt.Sprintf("%s%s%s, %s %s/%s", version, commit, dirty, runtime.Version(), runtime.GOOS, runtime.GOARCH)
}
