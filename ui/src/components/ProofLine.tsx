import type { CredentialView } from '@/ipc/generated'
import { CopyId } from './Copy'
import { clientMethodWord } from './credential'
import css from './ProofLine.module.css'
import { Untrusted } from './Untrusted'

/** What the credential is proven by, so that it can be found at the other end. */
export function ProofLine({ credential: { proof, key_id: keyId } }: { credential: CredentialView }) {
  switch (proof.kind) {
    case 'api_key':
      return <span><CopyId id={keyId} whole /></span>
    case 'certificate':
      return (
        <>
          <span className={css.proof}><Untrusted text={proof.spiffe} /></span>
          <span className="dim small">serial <CopyId id={proof.serial} /> · SHA-256 <CopyId id={proof.fingerprint} /></span>
        </>
      )
    case 'outside_certificate':
      return proof.spiffe === null
        ? <span className="dim small">the certificate with SHA-256 <CopyId id={proof.fingerprint ?? ''} /></span>
        : <span className={css.proof}><Untrusted text={proof.spiffe} /></span>
    case 'client':
      return <span><CopyId id={keyId} whole /> <span className="dim small">by {clientMethodWord[proof.method]}</span></span>
    case 'external':
      return <span><span className={css.proof}><Untrusted text={proof.subject} /></span> <span className="dim">at {proof.provider_name}</span></span>
  }
}
