package tokenize

import (
	_ "embed"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"unicode/utf8"
)

// unicodeText is what Hugging Face tokenizers does with each code point. It is asked
// rather than derived: the crates below it have the tables of several versions of
// Unicode, and Go's change with its release. A line is a name and code points:
//
//	nfd, nfkd, lower  a code point and what it becomes
//	ccc N             ranges that have the canonical combining class N
//	any other         ranges that have the property of that name
//
//go:embed unicode.txt
var unicodeText string

var propertyNames = map[string]property{
	"drop": drop, "blank": blank, "han": han, "nonspacing": nonspacing, "combining": combining,
	"nmtdrop": nmtDrop, "nmtblank": nmtBlank, "extend": extend, "prepend": prepend,
	"control": control, "pictographic": pictographic, "consonant": consonant, "linker": linker,
	"excluded": excluded,
}

// unicodeCharacters returns the table, read on first use.
var unicodeCharacters = sync.OnceValue(func() *characters {
	u := &characters{
		nfd: map[rune][]rune{}, nfkd: map[rune][]rune{}, lower: map[rune][]rune{}, composed: map[[2]rune]rune{},
	}
	for i := range u.pages {
		u.pages[i] = new([1 << pageBits]property)
	}
	for line := range strings.Lines(unicodeText) {
		if err := u.read(strings.Fields(line)); err != nil {
			panic(fmt.Sprintf("unicode.txt: line %q: %v", line, err)) // unreachable: the file is ours
		}
	}
	u.pair()
	shared := map[[1 << pageBits]property]*[1 << pageBits]property{}
	for i, page := range u.pages {
		if shared[*page] == nil {
			shared[*page] = page
		}
		u.pages[i] = shared[*page]
	}
	return u
})

func (u *characters) set(r rune, p property) {
	u.pages[r>>pageBits][r&(1<<pageBits-1)] |= p
}

func (u *characters) read(fields []string) error {
	if len(fields) < 2 || fields[0] == "#" {
		return nil
	}
	name, args := fields[0], fields[1:]
	switch name {
	case "nfd":
		return u.mapping(u.nfd, canonical, args)
	case "nfkd":
		return u.mapping(u.nfkd, compatible, args)
	case "lower":
		return u.mapping(u.lower, lowered, args)
	case "ccc":
		class, err := strconv.ParseUint(args[0], 10, 8)
		if err != nil {
			return err
		}
		return u.ranges(property(class), args[1:])
	}
	p, known := propertyNames[name]
	if !known {
		return fmt.Errorf("no property %q", name)
	}
	return u.ranges(p, args)
}

func (u *characters) mapping(to map[rune][]rune, p property, codes []string) error {
	all := make([]rune, len(codes))
	for i, code := range codes {
		var err error
		if all[i], err = codePoint(code); err != nil {
			return err
		}
	}
	u.set(all[0], p)
	to[all[0]] = all[1:]
	return nil
}

func (u *characters) ranges(p property, ranges []string) error {
	for _, r := range ranges {
		from, to, isRange := strings.Cut(r, "-")
		if !isRange {
			to = from
		}
		first, err := codePoint(from)
		if err != nil {
			return err
		}
		last, err := codePoint(to)
		if err != nil {
			return err
		}
		for c := first; c <= last; c++ {
			u.set(c, p)
		}
	}
	return nil
}

func codePoint(hex string) (rune, error) {
	c, err := strconv.ParseUint(hex, 16, 32)
	if err == nil && c > utf8.MaxRune {
		err = strconv.ErrRange
	}
	return rune(c), err
}

// pair derives from the decompositions which characters compose, and which stand
// inside of what is composed.
func (u *characters) pair() {
	all := make([]rune, 0, len(u.nfd))
	for c := range u.nfd {
		all = append(all, c)
	}
	// A character is one with a shorter decomposition and a mark.
	slices.SortFunc(all, func(a, b rune) int { return len(u.nfd[a]) - len(u.nfd[b]) })
	seconds := map[rune]bool{}
	for _, c := range all {
		to := u.nfd[c]
		if u.at(c).has(excluded) {
			continue
		}
		first := to[0]
		for _, next := range to[1 : len(to)-1] {
			first = u.composed[[2]rune{first, next}]
		}
		second := to[len(to)-1]
		u.composed[[2]rune{first, second}] = c
		seconds[second] = true
	}
	for v := range rune(hangulVs) {
		seconds[hangulV+v] = true
	}
	for t := range rune(hangulTs - 1) {
		seconds[hangulT+1+t] = true
	}
	isInside := func(r rune) bool { return seconds[r] || u.at(r).class() != 0 }
	for r := range rune(utf8.MaxRune + 1) {
		s := syllableOf(r)
		if u.at(r).has(extend) || s == vowel || s == trailing {
			u.set(r, joinsLast)
		}
		if u.at(r).has(prepend) || s == leading || r == '\r' {
			u.set(r, joinsNext)
		}
		switch p := u.at(r); {
		case p.has(canonical) && isInside(u.nfd[r][0]), !p.has(canonical) && isInside(r):
			u.set(r, inside|insideCompat)
		case p.has(compatible) && isInside(u.nfkd[r][0]):
			u.set(r, insideCompat)
		}
	}
}
