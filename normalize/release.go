package normalize

// UbuntuEcosystem returns the ecosystem of an Ubuntu release by its codename,
// and whether the codename is known.
func UbuntuEcosystem(codename string) (string, bool) {
	release, ok := ubuntuReleases[codename]
	return "Ubuntu:" + release, ok
}
