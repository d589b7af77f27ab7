import { render, screen } from '@testing-library/react'
import { afterEach, expect, test, vi } from 'vitest'
import { useSize } from './size'

afterEach(() => vi.restoreAllMocks())

function Sized() {
  const { ref, width, height } = useSize()
  return <div ref={ref}>{`${width} x ${height}`}</div>
}

test('the size is known before anything is painted, without waiting for an observer', () => {
  vi.spyOn(HTMLElement.prototype, 'clientWidth', 'get').mockReturnValue(640)
  vi.spyOn(HTMLElement.prototype, 'clientHeight', 'get').mockReturnValue(480)
  render(<Sized />)
  expect(screen.getByText('640 x 480')).toBeVisible()
})
