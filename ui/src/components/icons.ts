/** The icons that the console uses, by what they stand for. */
export {
  IconAlertTriangle, IconArrowDown, IconArrowUp, IconBell, IconBuilding, IconCheck, IconChecklist,
  IconChevronDown, IconChevronRight, IconCircle, IconCircleCheck, IconCopy, IconDeviceDesktop,
  IconDots, IconExternalLink, IconFileText, IconForms, IconHelp, IconHistory, IconId, IconInfoCircle, IconKey, IconKeyboard,
  IconLayoutDashboard, IconListDetails, IconLock, IconLockOpen, IconMessage, IconMinus, IconMoon, IconPlayerStop, IconPlus,
  IconRefresh, IconRobot, IconSearch, IconServer2, IconSettings, IconShieldCheck, IconSignature,
  IconSun, IconTable, IconTerminal2, IconTrash, IconUser, IconUsers, IconWorld, IconX,
} from '@tabler/icons-react'
