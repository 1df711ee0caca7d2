package query

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/advdb/advdb/versioncmp"
	"github.com/google/go-cmp/cmp"
)

// entry is one element of affected[]: fixed in a version, with
// ecosystem_specific where specific is not empty.
func entry(ecosystem, name, fixed, specific string) string {
	if specific != "" {
		specific = `"ecosystem_specific":` + specific + `,`
	}
	return fmt.Sprintf(`{%s"package":{"ecosystem":%q,"name":%q},"ranges":[{"type":"ECOSYSTEM","events":[{"introduced":"0"},{"fixed":%q}]}]}`,
		specific, ecosystem, name, fixed)
}

func record(id string, entries ...string) string {
	return fmt.Sprintf("{\"id\":%q,\"affected\":[%s]}\n", id, strings.Join(entries, ","))
}

// verdicts writes an answer as "ID verdict", sorted, with the release where it
// is not the one asked for.
func verdicts(a *Answer) []string {
	list := []string{}
	for _, f := range a.Findings {
		list = append(list, f.ID+" "+f.Verdict.String())
	}
	slices.Sort(list)
	return list
}

// TestPackageApplies asks for packages of distributions whose records say to
// which builds they apply. Modules, slots and flavours are real ones.
func TestPackageApplies(t *testing.T) {
	db := world(t, record("ALSA-1",
		entry("AlmaLinux:8", "criu", "3.15-3.module_el8.6.0+3137+d33c3efb", `{"module_build":"module_el8.6.0+3137+d33c3efb"}`),
		entry("AlmaLinux:8", "criu", "3.12-9.module_el8.6.0+2877+8e437bf5", `{"module_build":"module_el8.6.0+2877+8e437bf5"}`))+
		record("RHSA-MOD",
			entry("Red Hat:enterprise_linux:8::appstream", "postgresql", "0:13.14-1.module+el8.9.0+21288+1", `{"module":"postgresql:13"}`),
			entry("Red Hat:enterprise_linux:8::appstream", "postgresql", "0:15.6-1.module+el8.9.0+21287+1", `{"module":"postgresql:15"}`))+
		`{"id":"ALSA-2","summary":"Moderate: mariadb:10.3 security update","affected":[`+entry("AlmaLinux:8", "mariadb", "3:10.3.17-1.module_el8.1.0+217+4d875839", `{"module_build":"module_el8.1.0+217+4d875839"}`)+
		`,`+entry("AlmaLinux:8", "galera", "25.3.26-1.module_el8.1.0+217+4d875839", `{"module_build":"module_el8.1.0+217+4d875839"}`)+"]}\n"+
		record("RHSA-EUS",
			entry("Red Hat:enterprise_linux:9::baseos", "openssl", "1:3.0.7-25.el9_3", ""),
			entry("Red Hat:rhel_eus:9.2::baseos", "openssl", "1:3.0.7-17.el9_2", ""))+
		record("RHSA-10", entry("Red Hat:enterprise_linux:10.1", "vim", "2:9.1.083-6.el10_1.1", ""))+
		record("ELSA-K", entry("Oracle Linux:7:ksplice", "glibc", "2:2.17-326.0.9.ksplice1.el7_9.3", ""))+
		record("ELSA-N", entry("Oracle Linux:7", "glibc", "2.17-326.0.9.el7_9.3", ""))+
		record("SUSE-1", entry("openSUSE:Leap 15.3", "qemu", "5.2.0-103.2", `{"arch":["aarch64","x86_64"]}`))+
		record("SU-MOD", entry("SUSE:Linux Enterprise Module for Basesystem 15 SP4", "bash", "4.4-150400.27.3.2", ""),
			entry("SUSE:Linux Enterprise Server 15 SP3", "bash", "9.9", ""))+
		record("GLSA-1", entry("Gentoo", "dev-db/postgresql", "14.5", `{"slot":"14"}`), entry("Gentoo", "dev-db/postgresql", "13.8", `{"slot":"13"}`))+
		record("UBUNTU-1", entry("Ubuntu:Pro:16.04:LTS", "wayland", "1.12.0-1~ubuntu16.04.3+esm1", `{"binaries":[{"binary_name":"libwayland-client0","binary_version":"1"}]}`))+
		record("UBUNTU-2", entry("Ubuntu:Pro:FIPS-updates:18.04:LTS", "openssl", "1.1.1-1ubuntu2.fips.2.1~18.04.23", ""),
			entry("Ubuntu:18.04:LTS", "openssl", "1.1.1-1ubuntu2.1~18.04.23", ""))+
		record("ROOT-1", entry("Root:Debian:12", "libxml2", "2.9.14+dfsg-1.3~deb12u1.root.io.3", ""))+
		record("DEBIAN-1", entry("Debian:12", "openssl", "3.0.11-1~deb12u3", ""), entry("Debian:12", "libxml2", "2.9.14+dfsg-1.3~deb12u2", ""))+
		record("GO-1", entry("Go", "github.com/BurntSushi/toml", "1.0.0", "")), "")
	for _, test := range []struct {
		purl string
		want []string
	}{
		// a module's packages: by build, stream, upstream version
		{"pkg:rpm/almalinux/criu@3.15-2.module_el8.6.0%2B3000%2Babc?distro=almalinux-8.6", []string{"ALSA-1 affected"}},
		{"pkg:rpm/almalinux/criu@3.14-2.module_el8.6.0%2B3000%2Babc?distro=almalinux-8.6", []string{"ALSA-1 unknown"}},
		{"pkg:rpm/almalinux/criu@3.10-2.el8?distro=almalinux-8.6", []string{"ALSA-1 not affected"}},
		{"pkg:rpm/almalinux/criu@3.16-2.module_el8.7.0%2B3000%2Babc?distro=almalinux-8.6", []string{"ALSA-1 not affected"}},
		{"pkg:rpm/redhat/postgresql@13.13-1.module%2Bel8.9.0%2B1%2B1?distro=rhel-8.9&rpmmod=postgresql:13:8090:1", []string{"RHSA-MOD affected"}},
		{"pkg:rpm/redhat/postgresql@13.14-1.module%2Bel8.9.0%2B21288%2B1?distro=rhel-8.9&rpmmod=postgresql:13", []string{"RHSA-MOD not affected"}},
		{"pkg:rpm/redhat/postgresql@12.17-1.module%2Bel8.9.0%2B1%2B1?distro=rhel-8.9&rpmmod=postgresql:12", []string{"RHSA-MOD not affected"}},
		{"pkg:rpm/redhat/postgresql@13.13-1.module%2Bel8.9.0%2B1%2B1?distro=rhel-8.9", []string{"RHSA-MOD affected"}},
		{"pkg:rpm/redhat/postgresql@12.17-1.module%2Bel8.9.0%2B1%2B1?distro=rhel-8.9", []string{"RHSA-MOD not affected"}},
		{"pkg:rpm/almalinux/mariadb@10.3.11-1.module_el8.0.0%2B1%2B1?epoch=3&distro=almalinux-8.1", []string{"ALSA-2 affected"}},
		{"pkg:rpm/almalinux/mariadb@10.2.11-1.module_el8.0.0%2B1%2B1?epoch=3&distro=almalinux-8.1", []string{"ALSA-2 not affected"}},
		{"pkg:rpm/almalinux/galera@25.3.1-1.module_el8.0.0%2B1%2B1?distro=almalinux-8.1", []string{"ALSA-2 unknown"}},
		{"pkg:rpm/almalinux/galera@25.3.1-1.module_el8.0.0%2B1%2B1?distro=almalinux-8.1&rpmmod=mariadb:10.3:1:2", []string{"ALSA-2 affected"}},
		{"pkg:rpm/almalinux/galera@25.3.1-1.module_el8.0.0%2B1%2B1?distro=almalinux-8.1&rpmmod=mariadb:10.5", []string{"ALSA-2 not affected"}},
		{"pkg:rpm/redhat/postgresql@10.1-1.el8?distro=rhel-8.9", []string{"RHSA-MOD not affected"}},
		// the extended support of a minor release goes before the main line
		{"pkg:rpm/redhat/openssl@3.0.7-18.el9_2?epoch=1&distro=rhel-9.2", []string{"RHSA-EUS not affected"}},
		{"pkg:rpm/redhat/openssl@3.0.7-16.el9_2?epoch=1&distro=rhel-9.2", []string{"RHSA-EUS affected"}},
		{"pkg:rpm/redhat/openssl@3.0.7-18.el9_3?epoch=1&distro=rhel-9.3", []string{"RHSA-EUS affected"}},
		{"pkg:rpm/redhat/vim@9.1.083-5.el10?epoch=2&distro=rhel-10", []string{"RHSA-10 affected"}},
		{"pkg:rpm/redhat/vim@9.1.083-5.el10?epoch=2&distro=rhel-10.1", []string{"RHSA-10 affected"}},
		// flavours have versions of their own
		{"pkg:rpm/ol/glibc@2.17-326.0.5.el7?distro=ol-7.9", []string{"ELSA-N affected"}},
		{"pkg:rpm/ol/glibc@2.17-326.0.5.ksplice1.el7?epoch=2&distro=ol-7.9", []string{"ELSA-K affected"}},
		{"pkg:deb/ubuntu/openssl@1.1.1-1ubuntu2.1~18.04.23?distro=ubuntu-18.04", []string{"UBUNTU-2 not affected"}},
		{"pkg:deb/ubuntu/openssl@1.1.1-1ubuntu2.fips.2.1~18.04.9?distro=ubuntu-18.04", []string{"UBUNTU-2 affected"}},
		{"pkg:deb/debian/libxml2@2.9.14%2Bdfsg-1.3~deb12u1.root.io.3?distro=debian-12", []string{"ROOT-1 not affected"}},
		{"pkg:deb/debian/libxml2@2.9.14%2Bdfsg-1.3~deb12u1?distro=debian-12", []string{"DEBIAN-1 affected"}},
		// architectures
		{"pkg:rpm/opensuse/qemu@5.2.0-1?distro=opensuse-leap-15.3&arch=x86_64", []string{"SUSE-1 affected"}},
		{"pkg:rpm/opensuse/qemu@5.2.0-1?distro=opensuse-leap-15.3&arch=s390x", []string{"SUSE-1 not affected"}},
		{"pkg:rpm/opensuse/qemu@5.2.0-1?distro=opensuse-leap-15.3&arch=noarch", []string{"SUSE-1 affected"}},
		{"pkg:rpm/opensuse/qemu@5.2.0-1?distro=opensuse-leap-15.3", []string{"SUSE-1 affected"}},
		{"pkg:rpm/sles/bash@4.4-1?distro=sles-15.4", []string{"SU-MOD affected"}},
		// slots
		{"pkg:ebuild/dev-db/postgresql@13.9?slot=13", []string{"GLSA-1 not affected"}},
		{"pkg:ebuild/dev-db/postgresql@13.7?slot=13/13", []string{"GLSA-1 affected"}},
		{"pkg:ebuild/dev-db/postgresql@13.9", []string{"GLSA-1 unknown"}},
		// source and binary packages
		{"pkg:deb/debian/libssl3@3.0.11-1~deb12u2?upstream=openssl&distro=debian-12", []string{"DEBIAN-1 affected"}},
		{"pkg:deb/debian/libssl3@3.0.11-1~deb12u2?distro=debian-12", []string{}},
		{"pkg:deb/ubuntu/libwayland-client0@1.12.0-1~ubuntu16.04.2?distro=ubuntu-16.04", []string{"UBUNTU-1 affected"}},
		{"pkg:deb/ubuntu/wayland@1.12.0-1~ubuntu16.04.2?distro=xenial", []string{"UBUNTU-1 affected"}},
		// Go's paths in any case
		{"pkg:golang/github.com/burntsushi/toml@v0.3.1", []string{"GO-1 affected"}},
		{"pkg:golang/github.com/BurntSushi/toml@v0.3.1", []string{"GO-1 affected"}},
	} {
		q, err := ParsePurl(test.purl)
		if err != nil {
			t.Fatal(err)
		}
		a, err := Package(db, q)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(test.want, verdicts(&a)); diff != "" {
			t.Errorf("%s in %v:\n%s", test.purl, a.Ecosystems, diff)
		}
		for _, f := range a.Findings {
			if (f.Verdict == versioncmp.Unknown) != (f.Reason != "") || f.Package != q.Name && f.Via == "" {
				t.Errorf("%s: %+v: an unknown verdict has a reason, another name a way", test.purl, f)
			}
		}
	}
}

func TestCPEWildcards(t *testing.T) {
	nvd := func(id string, criteria ...string) string {
		var m []string
		for _, c := range criteria {
			m = append(m, fmt.Sprintf(`{"vulnerable":true,"criteria":%q,"versionEndExcluding":"2.0"}`, c))
		}
		return fmt.Sprintf(`{"id":%q,"database_specific":{"nvd":{"configurations":[{"nodes":[{"operator":"OR","cpeMatch":[%s]}]}]}}}`+"\n", id, strings.Join(m, ","))
	}
	db := world(t, nvd("CVE-2024-0001", "cpe:2.3:a:apache:log4j:*:*:*:*:*:*:*:*")+
		nvd("CVE-2024-0002", "cpe:2.3:a:apache:log4cxx:*:*:*:*:*:*:*:*", `cpe:2.3:a:qos\!ch:log4j:*:*:*:*:*:*:*:*`)+
		`{"id":"CVE-2024-0003","database_specific":{"cve":{"affected":[{"cpes":["cpe:2.3:a:acme:thing:*:*:*:*:*:*:*:*"],"ranges":[{"type":"ECOSYSTEM","events":[{"introduced":"1.0"},{"fixed":"1.5"}]}],"versions":["3.0"]}]}}}`, "")
	for name, want := range map[string][]string{
		"cpe:2.3:a:apache:log4j:1.2:*:*:*:*:*:*:*": {"CVE-2024-0001 a:apache:log4j affected"},
		"cpe:2.3:a:*:log4j:1.2:*:*:*:*:*:*:*":      {"CVE-2024-0001 a:apache:log4j affected", `CVE-2024-0002 a:qos\!ch:log4j affected`},
		"cpe:2.3:*:apache:log4*:1.2:*:*:*:*:*:*:*": {"CVE-2024-0001 a:apache:log4j affected", "CVE-2024-0002 a:apache:log4cxx affected"},
		"cpe:2.3:a:apache:log4?:2.0:*:*:*:*:*:*:*": {"CVE-2024-0001 a:apache:log4j not affected"},
		"cpe:2.3:o:apache:*:1.0:*:*:*:*:*:*:*":     {},
		"cpe:2.3:a:acme:thing:1.2:*:*:*:*:*:*:*":   {"CVE-2024-0003 a:acme:thing affected"},
		"cpe:2.3:a:acme:thing:1.5:*:*:*:*:*:*:*":   {"CVE-2024-0003 a:acme:thing not affected"},
		"cpe:2.3:a:acme:thing:3.0:*:*:*:*:*:*:*":   {"CVE-2024-0003 a:acme:thing affected"},
	} {
		found, err := CPE(db, mustCPE(t, name))
		if err != nil {
			t.Fatal(err)
		}
		got := []string{}
		for _, f := range found {
			got = append(got, f.ID+" "+f.Product.Key()+" "+f.Answer.Verdict.String())
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s:\n%s", name, diff)
		}
	}
	if _, err := CPE(db, mustCPE(t, "cpe:2.3:a:*:*:1:*:*:*:*:*:*:*")); err == nil {
		t.Error("a CPE of no vendor and no product was answered")
	}
}
