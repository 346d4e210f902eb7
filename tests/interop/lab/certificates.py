"""A certificate authority of the test's own, and certificates of it."""

import datetime
import ipaddress

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

DAY = datetime.timedelta(days=1)


def _name(text):
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _write(path, data):
    path.touch(0o600)
    path.write_bytes(data)
    return path


class Authority:
    def __init__(self, folder, name="Interop test authority"):
        self.folder, self.name = folder, _name(name)
        self.made = {}
        folder.mkdir(parents=True, exist_ok=True)
        self.key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        extensions = [
            (x509.BasicConstraints(ca=True, path_length=0), True),
            (x509.SubjectKeyIdentifier.from_public_key(self.key.public_key()), False),
            (x509.KeyUsage(False, False, False, False, False, True, True, False, False), True),
        ]
        self.certificate = self._signed(self.name, self.key, extensions)
        self.file = _write(folder / "ca.pem", self.certificate.public_bytes(serialization.Encoding.PEM))

    def _signed(self, subject, key, extensions):
        now = datetime.datetime.now(datetime.timezone.utc)
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self.name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - DAY)
            .not_valid_after(now + 30 * DAY)
        )
        for extension, critical in extensions:
            builder = builder.add_extension(extension, critical)
        return builder.sign(self.key, hashes.SHA256())

    def issued(self, name, *dns):
        """The same, made once."""
        if name not in self.made:
            self.made[name] = self.issue(name, *dns)
        return self.made[name]

    def issue(self, name, *dns):
        """The files of a certificate for the loopback address and some names, and of its key."""
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        names = [x509.DNSName(d) for d in ("localhost", *dns)]
        names.append(x509.IPAddress(ipaddress.ip_address("127.0.0.1")))
        issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key())
        extensions = [
            (x509.SubjectAlternativeName(names), False),
            (x509.BasicConstraints(ca=False, path_length=None), True),
            (x509.ExtendedKeyUsage([x509.ExtendedKeyUsageOID.SERVER_AUTH]), False),
            (issuer, False),
        ]
        certificate = self._signed(_name(name), key, extensions)
        pem = serialization.Encoding.PEM
        plain = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        return (
            _write(self.folder / f"{name}.pem", certificate.public_bytes(pem)),
            _write(self.folder / f"{name}.key", plain),
        )
