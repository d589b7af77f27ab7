import { Fact, Issued, OnceDialog, OnlyNow, Stored } from '@/components/Once'
import { Time } from '@/components/Time'
import type { RotatedView } from '@/ipc/generated'

/** The secret of a key that nobody has fetched, which whoever ended the old one hands over. Shown once. */
export function Rotated({ rotated: { old, new: made }, secret, onClose }: { rotated: RotatedView; secret: string; onClose: () => void }) {
  return (
    <OnceDialog title="The new key" held size={640} onClose={onClose}>
      <Issued label="The new key">
        <OnlyNow>The secret is shown only now. Key {old.key_id} is over: its agent goes on with this one, once you have handed it over.</OnlyNow>
        <dl className="facts">
          <Fact title="Key id" text={made.key_id} />
          <Fact title="Secret" text={secret} secret />
          <dt>Expires</dt><dd><Time at={made.expires} /></dd>
        </dl>
        <Stored what="secret" onClose={onClose} />
      </Issued>
    </OnceDialog>
  )
}
