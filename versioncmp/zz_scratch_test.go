package versioncmp

import ("testing";"os";"strings";"fmt")

func TestScratch(t *testing.T) {
	for _, f := range [][2]string{{"arch","Arch"},{"freebsd","FreeBSD"},{"freebsd-quirks","FreeBSD"},{"gentoo","Gentoo"},{"maven","Maven"},{"maven-3.8.7","Maven"},{"maven-resolver","Maven"},{"packagist","Packagist"},{"packagist-quirks","Packagist"},{"pypi","PyPI"},{"rubygems","RubyGems"}} {
		b, _ := os.ReadFile("/work/shared/versions/truth/"+f[0]+".txt")
		s := For(f[1]); bad, n, bk := 0,0,0
		for _, l := range strings.Split(strings.TrimSpace(string(b)),"\n") {
			p := strings.SplitN(l," ",3)
			n++
			want := map[string]int{"<":-1,"=":0,">":1}[p[1]]
			v, e1 := s.Parse(p[0]); w, e2 := s.Parse(p[2])
			if e1 != nil || e2 != nil { bad++; if bad < 6 {fmt.Println(f[0], l, e1,e2)}; continue}
			got := v.Compare(w)
			if got != want { bad++; if bad<12 {fmt.Println(f[0], l, "got", got)}}
			if k := strings.Compare(string(v.Key()),string(w.Key())); (want<0 && k>0)||(want>0&&k<0) {bk++}
		}
		fmt.Println(f[0], n, bad, "badkeys", bk)
	}
	for _, f := range [][2]string{{"gentoo","Gentoo"},{"packagist","Packagist"},{"pypi","PyPI"},{"rubygems","RubyGems"}} {
		b, _ := os.ReadFile("/work/shared/versions/truth/"+f[0]+"-invalid.txt")
		s := For(f[1]); acc := 0
		for _, l := range strings.Split(strings.TrimSuffix(string(b),"\n"),"\n") {
			if _, err := s.Parse(l); err == nil { acc++; if acc < 8 && f[0]!="pypi" {fmt.Printf("%s accepts %q\n", f[0], l)}}
		}
		fmt.Println(f[0], "accepted", acc)
	}
}
