// Package safeio writes files and directories whole or not at all.
//
//	WriteFile                              WriteDir
//	  create  dir/.tmp-XXXX                  mkdir   parent/.tmp-XXXX
//	  write   (buffered)                     fill    (files by WriteFile)
//	  sync                                   syncdir parent/.tmp-XXXX
//	  close                                  rename  .tmp-XXXX -> name
//	  rename  .tmp-XXXX -> name              syncdir parent
//	  syncdir dir                          ReplaceDir
//	                                         as WriteDir, but the two directories
//	                                         change places, and the old one goes
//
// Invariants:
//
//   - A reader, another process or the machine after a power cut sees the old
//     content or the new content of a name, never a mixture and never a part. Of
//     ReplaceDir that holds where directories can be exchanged: elsewhere there is
//     a moment in which the name is not there.
//   - An error after the rename (only the last syncdir can give one) means that
//     the new content is in place but may not survive a power cut.
//   - What a killed writer leaves has a name that begins with ".tmp-"; where
//     writers hold a lock, the next one clears it with [FS.RemoveTemps].
//
// The order sync, close, rename, sync of the directory is the one that
// "All File Systems Are Not Created Equal" (Pillai et al., OSDI 2014) found to
// be needed for an atomic replacement on every file system that it studied.
package safeio
