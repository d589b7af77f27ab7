import { createTheme, Drawer, Modal, Popover, Tooltip } from '@mantine/core'

// Colours and sizes stand in theme.css: Mantine would write its own into a style element, which
// the content security policy forbids. Scrolling is locked by the layout, for the same reason.
export const theme = createTheme({
  primaryColor: 'blue',
  defaultRadius: 'sm',
  cursorType: 'pointer',
  respectReducedMotion: true,
  components: {
    Modal: Modal.extend({
      defaultProps: { lockScroll: false, centered: true, transitionProps: { duration: 0 }, closeButtonProps: { 'aria-label': 'Close' } },
    }),
    Drawer: Drawer.extend({
      defaultProps: { lockScroll: false, position: 'right', transitionProps: { duration: 0 }, closeButtonProps: { 'aria-label': 'Close' } },
    }),
    Popover: Popover.extend({ defaultProps: { transitionProps: { duration: 0 } } }),
    Tooltip: Tooltip.extend({
      defaultProps: {
        openDelay: 300,
        multiline: true,
        maw: 360,
        transitionProps: { duration: 0 },
        events: { hover: true, focus: true, touch: true },
      },
    }),
  },
})
