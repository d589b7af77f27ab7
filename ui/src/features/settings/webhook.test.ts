import { expect, test } from 'vitest'
import { urlProblem } from './webhook'

test('without TLS only this machine is told', () => {
  for (const sound of ['https://hooks.example/a?b=c', 'http://127.0.0.1:9/', 'http://[::1]:9', 'http://localhost/x']) {
    expect(urlProblem(sound), sound).toBeUndefined()
  }
  for (const wrong of ['hooks.example', 'http://hooks.example', 'http://10.0.0.7/', 'ftp://hooks.example', 'javascript:1']) {
    expect(urlProblem(wrong), wrong).toBeDefined()
  }
})
