package pipeline

import (
	"archive/tar"
	"io"
	"path"
	"strings"
)

// nextInArchive opens the next file of an archive that can be read. Its name is
// that of the archive and its own, cleaned of all that leads out of it; no name
// is ever opened, and links are not followed: what they point to is either in
// the archive, under its own name, or none of its business.
func (f *feed) nextInArchive() (*member, error) {
	for {
		f.name = f.source.name
		h, err := f.archive.Next()
		if err != nil {
			return nil, damage(err)
		}
		name := strings.TrimPrefix(path.Clean("/"+h.Name), "/")
		k, packed := kindOf(name)
		switch h.Typeflag {
		case tar.TypeReg, tar.TypeGNUSparse:
		case tar.TypeLink, tar.TypeSymlink:
			f.report.ArchiveLinks++
			continue
		case tar.TypeChar, tar.TypeBlock, tar.TypeFifo:
			f.report.SpecialFiles++
			continue
		case tar.TypeDir:
			continue
		default:
			f.report.OtherFiles++
			continue
		}
		if k == kindOther || k == kindTar || hidden(name) {
			f.report.OtherFiles++
			continue
		}
		f.name += "/" + name
		var r io.Reader = within{f.archive, f.inner} // holes cost nothing where they are stored
		if packed != "" {
			r = unpack(packed, f.archive, f.inner)
		}
		m, err := f.member(k, r)
		if m != nil || err != nil {
			return m, err
		}
	}
}

// hidden says whether a file, or a directory that it is in, has a name that
// begins with a dot, as directories of the corpus are not searched for either.
func hidden(name string) bool { return strings.HasPrefix(name, ".") || strings.Contains(name, "/.") }
