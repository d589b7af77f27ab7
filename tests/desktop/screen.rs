//! The screen of a session, as other programs on it see it.

use countersign_tests::Session;
use x11rb::connection::Connection as _;
use x11rb::protocol::xproto::{
    AtomEnum, ClientMessageEvent, ConnectionExt as _, EventMask, GrabMode, MapState, ModMask,
};
use x11rb::rust_connection::RustConnection;

/// The screen, as a window manager sees it.
pub(crate) struct Screen {
    x: RustConnection,
    root: u32,
}

impl Screen {
    pub(crate) fn of(session: &Session) -> Self {
        let (x, screen) = x11rb::connect(Some(&session.display())).unwrap();
        let root = x.setup().roots[screen].root;
        Self { x, root }
    }

    /// The console's window, if it is shown.
    pub(crate) fn console(&self) -> Option<u32> {
        let windows = self.x.query_tree(self.root).unwrap().reply().unwrap().children;
        windows.into_iter().find(|window| {
            let (name, any) = (AtomEnum::WM_NAME, AtomEnum::ANY);
            let title = self.x.get_property(false, *window, name, any, 0, 64).unwrap().reply();
            let about = self.x.get_window_attributes(*window).unwrap().reply();
            title.is_ok_and(|it| it.value == b"Countersign")
                && about.is_ok_and(|it| it.map_state == MapState::VIEWABLE)
        })
    }

    /// Asks a window to close, as its frame's button does.
    pub(crate) fn close(&self, window: u32) {
        let atom = |name: &[u8]| self.x.intern_atom(false, name).unwrap().reply().unwrap().atom;
        let (protocols, delete) = (atom(b"WM_PROTOCOLS"), atom(b"WM_DELETE_WINDOW"));
        let event = ClientMessageEvent::new(32, window, protocols, [delete, 0, 0, 0, 0]);
        self.x.send_event(false, window, EventMask::NO_EVENT, event).unwrap();
        self.x.flush().unwrap();
    }

    /// Takes a key for itself while Ctrl and Shift are held, as any program can; says whether it
    /// could.
    pub(crate) fn take(&self, keysym: u32) -> bool {
        let code = self.code(keysym);
        let held = ModMask::CONTROL | ModMask::SHIFT;
        let mode = GrabMode::ASYNC;
        let asked = self.x.grab_key(true, self.root, held, code, mode, mode).unwrap();
        asked.check().is_ok()
    }

    /// Gives back what was taken.
    pub(crate) fn give_back(&self, keysym: u32) {
        let held = ModMask::CONTROL | ModMask::SHIFT;
        self.x.ungrab_key(self.code(keysym), self.root, held).unwrap().check().unwrap();
    }

    /// The number that the keyboard has for a key.
    fn code(&self, keysym: u32) -> u8 {
        let (first, last) = (self.x.setup().min_keycode, self.x.setup().max_keycode);
        let asked = self.x.get_keyboard_mapping(first, last.abs_diff(first)).unwrap();
        let keys = asked.reply().unwrap();
        let mut each = keys.keysyms.chunks(usize::from(keys.keysyms_per_keycode));
        let code = (first..last).find(|_| each.next().is_some_and(|it| it.contains(&keysym)));
        code.unwrap()
    }
}
