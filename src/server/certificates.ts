import { generateKeyPair, X509Certificate, createPrivateKey } from "node:crypto";
import { promisify } from "node:util";
import type { Clock } from "../ports/clock.ts";
import type { Files } from "../ports/files.ts";
import type { Log } from "../ports/log.ts";
import type { Random } from "../ports/random.ts";
import type { TlsIdentity } from "./listen.ts";

export interface CertificateOptions {
  readonly files: Files;
  /** Absolute; created with mode 0700. */
  readonly directory: string;
  readonly clock: Clock;
  readonly random: Random;
}

/** What a TLS listener and its clients need, in PEM form. */
export interface Certificates extends TlsIdentity {
  readonly certificateAuthority: string;
  /** True when the authority is a new one: kubeconfigs made before no longer fit. */
  readonly authorityChanged: boolean;
}

const DAY_MS = 86_400_000;
const AUTHORITY_DAYS = 3_650;
const SERVER_DAYS = 365;
/** A certificate with less left is made anew. */
const RENEW_DAYS = 30;
/** Clocks of clients may lag. */
const BACKDATE_MS = DAY_MS;

/**
 * The town's own certificate authority and a server certificate for 127.0.0.1, ::1 and localhost, read from the directory
 * or made there (keys 0600). A certificate that nears its end, is damaged or does not fit its key is replaced; the
 * authority stays as long as it can, so that kubeconfigs stay valid.
 */
export async function ensureCertificates(options: CertificateOptions): Promise<Certificates> {
  await options.files.makeDirectory(options.directory, { mode: 0o700 });
  const kept = await readPair(options, "ca");
  const authority = kept ?? (await makePair(options, "ca", undefined));
  const former = await readPair(options, "server");
  const server =
    former !== undefined && issuedBy(former, authority) ? former : await makePair(options, "server", authority);
  return {
    certificate: server.certificate,
    privateKey: server.privateKey,
    certificateAuthority: authority.certificate,
    authorityChanged: kept === undefined,
  };
}

const LOOK_AGAIN_MS = 12 * 3_600_000;

/**
 * Looks at the certificates twice a day until the signal aborts, and hands a renewed one to the listener, so that a
 * server which runs for years never shows an expired certificate. A failure is logged and tried again.
 */
export async function keepCertificatesFresh(
  options: CertificateOptions & { readonly log: Log; readonly signal: AbortSignal },
  listener: { renew(identity: TlsIdentity): void },
): Promise<void> {
  let shown = "";
  while (!options.signal.aborted) {
    try {
      const identity = await ensureCertificates(options);
      if (identity.certificate !== shown) listener.renew(identity);
      shown = identity.certificate;
    } catch (error) {
      options.log.warn({ err: error }, "certificates could not be renewed");
    }
    await options.clock.sleep(LOOK_AGAIN_MS, options.signal);
  }
}

type Role = "ca" | "server";

async function readPair({ files, directory, clock }: CertificateOptions, role: Role): Promise<TlsIdentity | undefined> {
  const certificate = await files.readText(`${directory}/${role}.crt`);
  const privateKey = await files.readText(`${directory}/${role}.key`);
  if (certificate === undefined || privateKey === undefined) return undefined;
  try {
    const parsed = new X509Certificate(certificate);
    const left = Date.parse(parsed.validTo) - clock.now();
    const begun = Date.parse(parsed.validFrom) <= clock.now();
    return begun && left > RENEW_DAYS * DAY_MS && parsed.checkPrivateKey(createPrivateKey(privateKey))
      ? { certificate, privateKey }
      : undefined;
  } catch {
    return undefined;
  }
}

function issuedBy(server: TlsIdentity, authority: TlsIdentity): boolean {
  return new X509Certificate(server.certificate).verify(new X509Certificate(authority.certificate).publicKey);
}

/** Key first, then certificate: a crash between the two leaves a pair that does not fit, which is made anew. */
async function makePair(
  options: CertificateOptions,
  role: Role,
  issuer: TlsIdentity | undefined,
): Promise<TlsIdentity> {
  const { files, directory } = options;
  const pair = await promisify(generateKeyPair)("rsa", {
    modulusLength: 2048,
    publicKeyEncoding: { type: "spki", format: "pem" },
    privateKeyEncoding: { type: "pkcs8", format: "pem" },
  });
  const certificate = await sign(options, role, pair, issuer);
  await files.writeAtomic(`${directory}/${role}.key`, pair.privateKey, { mode: 0o600 });
  await files.writeAtomic(`${directory}/${role}.crt`, certificate, { mode: 0o644 });
  return { certificate, privateKey: pair.privateKey };
}

async function sign(
  { clock, random }: CertificateOptions,
  role: Role,
  pair: { readonly publicKey: string; readonly privateKey: string },
  issuer: TlsIdentity | undefined,
): Promise<string> {
  const { default: forge } = await import("node-forge");
  const certificate = forge.pki.createCertificate();
  certificate.publicKey = forge.pki.publicKeyFromPem(pair.publicKey);
  // DER wants a positive number without superfluous zeros in front.
  certificate.serialNumber = `01${random.secret(15)}`;
  certificate.validity.notBefore = new Date(clock.now() - BACKDATE_MS);
  certificate.validity.notAfter = new Date(clock.now() + (role === "ca" ? AUTHORITY_DAYS : SERVER_DAYS) * DAY_MS);
  const subject = [{ name: "commonName", value: role === "ca" ? "town certificate authority" : "town API server" }];
  certificate.setSubject(subject);
  certificate.setIssuer(
    issuer === undefined ? subject : forge.pki.certificateFromPem(issuer.certificate).subject.attributes,
  );
  certificate.setExtensions(role === "ca" ? authorityExtensions() : serverExtensions());
  certificate.sign(forge.pki.privateKeyFromPem(issuer?.privateKey ?? pair.privateKey), forge.md.sha256.create());
  return forge.pki.certificateToPem(certificate);
}

function authorityExtensions() {
  return [
    { name: "basicConstraints", cA: true, pathLenConstraint: 0, critical: true },
    { name: "keyUsage", keyCertSign: true, cRLSign: true, critical: true },
    { name: "subjectKeyIdentifier" },
  ];
}

function serverExtensions() {
  return [
    { name: "basicConstraints", cA: false, critical: true },
    { name: "keyUsage", digitalSignature: true, keyEncipherment: true, critical: true },
    { name: "extKeyUsage", serverAuth: true },
    {
      name: "subjectAltName",
      altNames: [
        { type: 2, value: "localhost" },
        { type: 7, ip: "127.0.0.1" },
        { type: 7, ip: "::1" },
      ],
    },
  ];
}
