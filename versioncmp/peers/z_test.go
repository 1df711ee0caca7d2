package peers
import (
 _ "github.com/advdb/advdb/versioncmp"
 _ "github.com/google/osv-scalibr/semantic"
 _ "golang.org/x/mod/semver"
 _ "github.com/knqyf263/go-deb-version"
 _ "github.com/knqyf263/go-rpm-version"
 _ "github.com/knqyf263/go-apk-version"
 _ "github.com/knqyf263/go-version"
 _ "github.com/aquasecurity/go-pep440-version"
 _ "github.com/aquasecurity/go-npm-version/pkg"
 _ "github.com/aquasecurity/go-gem-version"
 _ "github.com/masahiro331/go-mvn-version"
 _ "github.com/Masterminds/semver/v3"
 _ "deps.dev/util/semver"
 _ "github.com/hashicorp/go-version"
 _ "github.com/google/go-cmp/cmp"
)
