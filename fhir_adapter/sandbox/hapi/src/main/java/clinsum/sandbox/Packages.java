package clinsum.sandbox;

import ca.uhn.fhir.jpa.packages.IPackageInstallerSvc;
import ca.uhn.fhir.jpa.packages.PackageInstallationSpec;
import ca.uhn.fhir.jpa.packages.PackageInstallationSpec.InstallModeEnum;
import java.io.ByteArrayInputStream;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.hl7.fhir.utilities.npm.NpmPackage;

/** Installs FHIR packages from files, as a hospital's HAPI does: by HAPI's own installer, which makes the snapshots. */
final class Packages {

    private Packages() {}

    static void install(String files, IPackageInstallerSvc installer) throws IOException {
        for (String file : files.split(File.pathSeparator)) {
            if (!file.isEmpty()) {
                byte[] contents = Files.readAllBytes(Path.of(file));
                NpmPackage npm = NpmPackage.fromPackage(new ByteArrayInputStream(contents));
                PackageInstallationSpec spec = new PackageInstallationSpec()
                        .setName(npm.name())
                        .setVersion(npm.version())
                        .setPackageContents(contents)
                        .setInstallMode(InstallModeEnum.STORE_AND_INSTALL)
                        .setFetchDependencies(false); // nothing is fetched from a registry
                installer.install(spec);
            }
        }
    }
}
