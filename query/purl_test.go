package query

import (
	"errors"
	"testing"
)

func TestParsePurl(t *testing.T) {
	for _, test := range []struct{ purl, ecosystem, name, version string }{
		{"pkg:npm/lodash@4.17.20", "npm", "lodash", "4.17.20"},
		{"pkg:npm/%40angular/core@1.2.3", "npm", "@angular/core", "1.2.3"},
		{"pkg:golang/golang.org/x/net@v0.7.0", "Go", "golang.org/x/net", "v0.7.0"},
		{"pkg:maven/org.apache.logging.log4j/log4j-core@2.14.1", "Maven", "org.apache.logging.log4j:log4j-core", "2.14.1"},
		{"pkg:pypi/Django", "PyPI", "django", ""},
		{"pkg:composer/symfony/http-kernel@v5.0.0", "Packagist", "symfony/http-kernel", "v5.0.0"},
		{"pkg:cargo/openssl@0.10.1", "crates.io", "openssl", "0.10.1"},
		{"pkg:gem/rails@6.1.0", "RubyGems", "rails", "6.1.0"},
		{"pkg:swift/github.com/vapor/vapor@4.0.0", "SwiftURL", "github.com/vapor/vapor", "4.0.0"},
		{"pkg:apk/alpine/openssl@3.0.7-r0?distro=alpine-v3.17", "Alpine:v3.17", "openssl", "3.0.7-r0"},
		{"pkg:apk/alpine/openssl@3.0.7-r0?distro=3.17.2", "Alpine:v3.17", "openssl", "3.0.7-r0"},
		{"pkg:apk/alpine/curl@1?distro=edge", "Alpine:edge", "curl", "1"},
		{"pkg:apk/alpine/curl@1", "Alpine", "curl", "1"},
		{"pkg:apk/wolfi/curl@8.1.2-r0?distro=wolfi-20230201", "Wolfi", "curl", "8.1.2-r0"},
		{"pkg:deb/debian/openssl@1.1.1n-0+deb11u4?distro=bullseye", "Debian:11", "openssl", "1.1.1n-0+deb11u4"},
		{"pkg:deb/debian/openssl@1.1.1n-0%2Bdeb11u4?distro=debian-11.7", "Debian:11", "openssl", "1.1.1n-0+deb11u4"},
		{"pkg:deb/debian/shadow@4.8?distro=sid", "Debian:sid", "shadow", "4.8"},
		{"pkg:deb/debian/shadow@4.8.1-1?epoch=1&distro=bookworm", "Debian:12", "shadow", "1:4.8.1-1"},
		{"pkg:deb/ubuntu/bash@5.0?distro=ubuntu-20.04", "Ubuntu:20.04:LTS", "bash", "5.0"},
		{"pkg:deb/ubuntu/bash@5.0?distro=ubuntu-23.10", "Ubuntu:23.10", "bash", "5.0"},
		{"pkg:rpm/almalinux/bash@5.1-1.el9?distro=almalinux-9.2", "AlmaLinux:9", "bash", "5.1-1.el9"},
		{"pkg:rpm/rocky/bash@5.1?distro=rocky-9.2", "Rocky Linux:9", "bash", "5.1"},
		{"pkg:rpm/ol/bash@5.1?distro=ol-8.7", "Oracle Linux:8", "bash", "5.1"},
		{"pkg:rpm/amzn/bash@4.2?distro=amzn-2", "Amazon Linux:2", "bash", "4.2"},
		{"pkg:rpm/amzn/bash@4.2?distro=amzn-2018.03", "Amazon Linux:1", "bash", "4.2"},
		{"pkg:rpm/opensuse/bash@4.4?distro=opensuse-leap-15.3", "openSUSE:Leap 15.3", "bash", "4.4"},
		{"pkg:rpm/fedora/bash@5.2?distro=fedora-38&epoch=0", "Fedora:38", "bash", "5.2"},
	} {
		q, err := ParsePurl(test.purl)
		if want := (Question{test.ecosystem, test.name, test.version}); err != nil || q != want {
			t.Errorf("%s: %+v, %v, want %+v", test.purl, q, err, want)
		}
	}
	for purl, want := range map[string]error{
		"lodash@1": ErrPurl, "pkg:": ErrPurl, "pkg:generic/x@1": ErrNoEcosystem, "pkg:rpm/nosuch/x@1": ErrNoEcosystem, "pkg:deb/x@1": ErrNoEcosystem,
	} {
		if _, err := ParsePurl(purl); !errors.Is(err, want) {
			t.Errorf("%s: %v, want %v", purl, err, want)
		}
	}
}

func FuzzParsePurl(f *testing.F) {
	for _, s := range []string{"pkg:npm/a@1", "pkg:deb/debian/a@1?distro=x-", "pkg:apk/alpine/a?distro=v", "pkg:deb/ubuntu/a@1?distro=ü.04"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if q, err := ParsePurl(s); err == nil && q.Ecosystem == "" {
			t.Errorf("%q: no error and no ecosystem", s)
		}
	})
}
