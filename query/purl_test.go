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
		{"pkg:deb/debian/openssl@0.9.8o-4squeeze14?distro=debian-6.0.10", "Debian:6.0", "openssl", "0.9.8o-4squeeze14"},
		{"pkg:deb/debian/openssl@0.9.8o-4squeeze14?distro=squeeze", "Debian:6.0", "openssl", "0.9.8o-4squeeze14"},
		{"pkg:deb/debian/openssl@0.9.8o-4%2Bdeb6u1", "Debian:6.0", "openssl", "0.9.8o-4+deb6u1"},
		{"pkg:deb/debian/openssl@0.9.7e-3sarge4?distro=debian-3.1r8", "Debian:3.1", "openssl", "0.9.7e-3sarge4"},
		{"pkg:deb/debian/openssl@0.9.6c-2?distro=debian-3", "Debian", "openssl", "0.9.6c-2"},
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
		if want := (Question{Ecosystem: test.ecosystem, Name: test.name, Version: test.version}); err != nil || bare(q) != want {
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

// bare is a question without what only some systems know of a package.
func bare(q Question) Question {
	return Question{Ecosystem: q.Ecosystem, Name: q.Name, Version: q.Version}
}

// TestParsePurlOfTools reads purls as SBOM tools write them. Versions and
// names are of real packages; the forms are those of syft, trivy and cdxgen.
func TestParsePurlOfTools(t *testing.T) {
	for purl, want := range map[string]Question{
		// syft: distro is ID-VERSION_ID of os-release, upstream where the source differs
		"pkg:deb/debian/libssl3@3.0.11-1~deb12u2?arch=amd64&upstream=openssl&distro=debian-12": {
			Ecosystem: "Debian:12", Name: "libssl3", Version: "3.0.11-1~deb12u2", Source: "openssl", Arch: "amd64"},
		"pkg:deb/debian/gcc-12-base@12.2.0-14?arch=amd64&upstream=gcc-12&distro=debian-12": {
			Ecosystem: "Debian:12", Name: "gcc-12-base", Version: "12.2.0-14", Source: "gcc-12", Arch: "amd64"},
		"pkg:deb/debian/bsdutils@1%3A2.38.1-5%2Bb1?arch=amd64&upstream=util-linux%402.38.1-5&distro=debian-12": {
			Ecosystem: "Debian:12", Name: "bsdutils", Version: "1:2.38.1-5+b1", Source: "util-linux", SourceVersion: "2.38.1-5", Arch: "amd64"},
		"pkg:deb/ubuntu/linux-modules-7.0.0-1012-aws@7.0.0-1012.12?arch=amd64&distro=ubuntu-26.04&upstream=linux-aws": {
			Ecosystem: "Ubuntu:26.04:LTS", Name: "linux-modules-7.0.0-1012-aws", Version: "7.0.0-1012.12", Source: "linux-aws", Arch: "amd64"},
		"pkg:apk/alpine/libcrypto3@3.1.4-r5?arch=x86_64&upstream=openssl&distro=alpine-3.19.1": {
			Ecosystem: "Alpine:v3.19", Name: "libcrypto3", Version: "3.1.4-r5", Source: "openssl", Arch: "x86_64"},
		"pkg:apk/wolfi/glibc-locale-posix@2.38-r5?arch=x86_64&distro=wolfi-20230201&upstream=glibc": {
			Ecosystem: "Wolfi", Name: "glibc-locale-posix", Version: "2.38-r5", Source: "glibc", Arch: "x86_64"},
		"pkg:rpm/redhat/openssl-libs@3.0.7-25.el9_3?arch=x86_64&distro=rhel-9.3&epoch=1&upstream=openssl-3.0.7-25.el9_3.src.rpm": {
			Ecosystem: "Red Hat:enterprise_linux:9.3", Name: "openssl-libs", Version: "1:3.0.7-25.el9_3", Source: "openssl", Arch: "x86_64"},
		"pkg:rpm/redhat/perl-libs@5.32.1-473.module%2Bel8.10.0%2B21354%2B3ad137bb?arch=x86_64&epoch=4&rpmmod=perl:5.32&distro=rhel-8.10": {
			Ecosystem: "Red Hat:enterprise_linux:8.10", Name: "perl-libs", Version: "4:5.32.1-473.module+el8.10.0+21354+3ad137bb", Arch: "x86_64", Module: "perl:5.32"},
		"pkg:rpm/amzn/python3-libs@3.9.16-1.amzn2023.0.6?arch=x86_64&distro=amzn-2023&upstream=python3.9-3.9.16-1.amzn2023.0.6.src.rpm": {
			Ecosystem: "Amazon Linux:2023", Name: "python3-libs", Version: "3.9.16-1.amzn2023.0.6", Source: "python3.9", Arch: "x86_64"},
		"pkg:rpm/openEuler/bash@5.2.15-9.oe2403?arch=x86_64&upstream=bash-5.2.15-9.oe2403.src.rpm&distro=openEuler-24.03": {
			Ecosystem: "openEuler:24.03", Name: "bash", Version: "5.2.15-9.oe2403", Arch: "x86_64"},
		"pkg:rpm/opensuse-leap/libopenssl3@3.0.8-150500.5.8.1?distro=opensuse-leap-15.5&upstream=openssl-3-3.0.8-150500.5.8.1.src.rpm": {
			Ecosystem: "openSUSE:Leap 15.5", Name: "libopenssl3", Version: "3.0.8-150500.5.8.1", Source: "openssl-3"},
		"pkg:rpm/sles/bash@4.4-150400.25.22?arch=x86_64&distro=sles-15.4": {
			Ecosystem: "SUSE:Linux Enterprise Server 15 SP4", Name: "bash", Version: "4.4-150400.25.22", Arch: "x86_64"},
		"pkg:rpm/photon/curl@8.1.2-3.ph5?distro=photon-5.0":          {Ecosystem: "Photon OS:5.0", Name: "curl", Version: "8.1.2-3.ph5"},
		"pkg:rpm/azurelinux/curl@8.8.0-1.azl3?distro=azurelinux-3.0": {Ecosystem: "Azure Linux:3", Name: "curl", Version: "8.8.0-1.azl3"},
		"pkg:rpm/mariner/curl@8.3.0-1.cm2?distro=mariner-2.0":        {Ecosystem: "Azure Linux:2", Name: "curl", Version: "8.3.0-1.cm2"},
		"pkg:alpm/arch/openssl@3.2.0-1?arch=x86_64&distro=arch-rolling": {
			Ecosystem: "Arch Linux", Name: "openssl", Version: "3.2.0-1", Arch: "x86_64"},
		"pkg:ebuild/dev-libs/openssl@3.0.11?slot=0/3": {Ecosystem: "Gentoo", Name: "dev-libs/openssl", Version: "3.0.11", Slot: "0/3"},
		"pkg:golang/stdlib@1.21.0":                    {Ecosystem: "Go", Name: "stdlib", Version: "1.21.0"},
		"pkg:dhi/fluentd@1.14.1":                      {Ecosystem: "Docker Hardened Images", Name: "fluentd", Version: "1.14.1"},
		// trivy: the family, and the release as os-release says it
		"pkg:apk/alpine/busybox@1.37.0-r30?arch=x86_64&distro=3.24.0_alpha20260127": {
			Ecosystem: "Alpine:edge", Name: "busybox", Version: "1.37.0-r30", Arch: "x86_64"},
		"pkg:deb/debian/libc6@2.36-9?arch=amd64&distro=debian-12.5": {Ecosystem: "Debian:12", Name: "libc6", Version: "2.36-9", Arch: "amd64"},
		"pkg:rpm/fedora/nodejs@14.21.3-1.module_f38%2B18119%2B78d34c93?arch=x86_64&distro=fedora-38&modularitylabel=nodejs%3A14%3A8060020220421152133%3Ae6e4d6a4": {
			Ecosystem: "Fedora:38", Name: "nodejs", Version: "14.21.3-1.module_f38+18119+78d34c93", Arch: "x86_64", Module: "nodejs:14"},
		"pkg:rpm/amazon/bash@4.2.46-34.amzn2?arch=x86_64&distro=amazon-2+%28Karoo%29": {
			Ecosystem: "Amazon Linux:2", Name: "bash", Version: "4.2.46-34.amzn2", Arch: "x86_64"},
		"pkg:rpm/alma/bash@5.1.8-6.el9?distro=alma-9.4":     {Ecosystem: "AlmaLinux:9", Name: "bash", Version: "5.1.8-6.el9"},
		"pkg:rpm/oracle/bash@5.1.8-6.el9?distro=oracle-9.4": {Ecosystem: "Oracle Linux:9", Name: "bash", Version: "5.1.8-6.el9"},
		"pkg:rpm/centos/bash@4.2.46-34.el7?distro=centos-7.9.2009": {
			Ecosystem: "Red Hat:enterprise_linux:7.9.2009", Name: "bash", Version: "4.2.46-34.el7"},
		"pkg:rpm/suse/bash@4.4?distro=suse-15.4":                        {Ecosystem: "SUSE:Linux Enterprise Server 15 SP4", Name: "bash", Version: "4.4"},
		"pkg:rpm/opensuse/bash@5.2?distro=opensuse-tumbleweed-20240101": {Ecosystem: "openSUSE:Tumbleweed", Name: "bash", Version: "5.2"},
		// cdxgen: distro and distro_name
		"pkg:deb/ubuntu/libexpat1@2.4.7-1ubuntu0.2?arch=amd64&distro=ubuntu-22.04&distro_name=jammy&upstream=expat": {
			Ecosystem: "Ubuntu:22.04:LTS", Name: "libexpat1", Version: "2.4.7-1ubuntu0.2", Source: "expat", Arch: "amd64"},
		"pkg:deb/ubuntu/bash@5.1?distro_name=jammy": {Ecosystem: "Ubuntu:22.04:LTS", Name: "bash", Version: "5.1"},
		// without distro the version may say it
		"pkg:rpm/fedora/curl@8.6.0-7.fc40?arch=x86_64": {Ecosystem: "Fedora:40", Name: "curl", Version: "8.6.0-7.fc40", Arch: "x86_64"},
		"pkg:rpm/rocky/curl@7.76.1-29.el9_4.1":         {Ecosystem: "Rocky Linux:9", Name: "curl", Version: "7.76.1-29.el9_4.1"},
		"pkg:rpm/openeuler/dnsmasq@2.82-4.oe2203sp1":   {Ecosystem: "openEuler:22.03-LTS-SP1", Name: "dnsmasq", Version: "2.82-4.oe2203sp1"},
		"pkg:deb/debian/curl@7.88.1-10%2Bdeb12u5":      {Ecosystem: "Debian:12", Name: "curl", Version: "7.88.1-10+deb12u5"},
		"pkg:rpm/almalinux/curl@7.76.1?distro=el9":     {Ecosystem: "AlmaLinux:9", Name: "curl", Version: "7.76.1"},
		"pkg:deb/debian/curl@7.88.1?distro=testing":    {Ecosystem: "Debian", Name: "curl", Version: "7.88.1"},
		// names
		"pkg:golang/github.com/BurntSushi/toml@v0.3.1":                          {Ecosystem: "Go", Name: "github.com/BurntSushi/toml", Version: "v0.3.1"},
		"pkg:golang/github.com/go-chi/chi@v5.0.1#v5":                            {Ecosystem: "Go", Name: "github.com/go-chi/chi/v5", Version: "v5.0.1"},
		"pkg:golang/github.com/go-chi/chi/v5@v5.0.1#v5/middleware":              {Ecosystem: "Go", Name: "github.com/go-chi/chi/v5", Version: "v5.0.1"},
		"pkg:golang/google.golang.org/genproto@v0.0.1#googleapis/api":           {Ecosystem: "Go", Name: "google.golang.org/genproto", Version: "v0.0.1"},
		"pkg:golang/std@go1.21.0":                                               {Ecosystem: "Go", Name: "stdlib", Version: "1.21.0"},
		"pkg:cpan/GBARR/Net-DNS@0.1":                                            {Ecosystem: "CPAN", Name: "Net-DNS", Version: "0.1"},
		"pkg:cpan/Perl::Version@1.013":                                          {Ecosystem: "CPAN", Name: "Perl-Version", Version: "1.013"},
		"pkg:conan/openssl.org/openssl@3.0.3?user=bincrafters&channel=stable":   {Ecosystem: "ConanCenter", Name: "openssl", Version: "3.0.3"},
		"pkg:julia/URIs@1.5.0":                                                  {Ecosystem: "Julia", Name: "URIs", Version: "1.5.0"},
		"pkg:julia/wolfSSL_jll@5.8.4?uuid=98c43586-9870-5ae5-ab22-acc77b9bbdb5": {Ecosystem: "Julia", Name: "wolfSSL_jll", Version: "5.8.4"},
		"pkg:vscode-extension/publisher/extension@1.0.0":                        {Ecosystem: "VSCode", Name: "publisher/extension", Version: "1.0.0"},
		"pkg:githubactions/actions/checkout@v4":                                 {Ecosystem: "GitHub Actions", Name: "actions/checkout", Version: "v4"},
		"pkg:bioconductor/IRanges@2.28.0":                                       {Ecosystem: "Bioconductor", Name: "IRanges", Version: "2.28.0"},
		"pkg:hackage/cabal-install@3.10.1":                                      {Ecosystem: "Hackage", Name: "cabal-install", Version: "3.10.1"},
		"pkg:opam/ocaml@4.02.0":                                                 {Ecosystem: "opam", Name: "ocaml", Version: "4.02.0"},
		"pkg:hex/acme/phoenix@1.0.0":                                            {Ecosystem: "Hex", Name: "acme/phoenix", Version: "1.0.0"},
	} {
		q, err := ParsePurl(purl)
		if err != nil || q != want {
			t.Errorf("%s:\n got %+v, %v\nwant %+v", purl, q, err, want)
		}
	}
	for _, purl := range []string{
		"pkg:generic/openssl@3.0.1", "pkg:github/actions/checkout@v4", "pkg:docker/nginx@1.25", "pkg:oci/nginx@sha256:aa",
		"pkg:rpmmod/redhat/perl@5.32", "pkg:deb/linuxmint/x@1", "pkg:deb/kali/x@1", "pkg:apk/x@1",
	} {
		if q, err := ParsePurl(purl); !errors.Is(err, ErrNoEcosystem) {
			t.Errorf("%s: %+v, %v, want ErrNoEcosystem", purl, q, err)
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
