(module
  (type (;0;) (func (param i32)))
  (type (;1;) (func (param i32 i32 i32 i32 i32)))
  (import "nn" "m" (memory (;0;) 0 65536))
  (import "nn" "wait" (func (;0;) (type 0)))
  (func $micro4x8 (type 1) (param i32 i32 i32 i32 i32)
    (local v128 v128 v128 v128 v128 v128 v128 v128 i32 v128 v128 v128 v128 v128 v128)
    (local.set 5
      (v128.const i32x4 0x00000000 0x00000000 0x00000000 0x00000000))
    (local.set 6
      (v128.const i32x4 0x00000000 0x00000000 0x00000000 0x00000000))
    (local.set 7
      (v128.const i32x4 0x00000000 0x00000000 0x00000000 0x00000000))
    (local.set 8
      (v128.const i32x4 0x00000000 0x00000000 0x00000000 0x00000000))
    (local.set 9
      (v128.const i32x4 0x00000000 0x00000000 0x00000000 0x00000000))
    (local.set 10
      (v128.const i32x4 0x00000000 0x00000000 0x00000000 0x00000000))
    (local.set 11
      (v128.const i32x4 0x00000000 0x00000000 0x00000000 0x00000000))
    (local.set 12
      (v128.const i32x4 0x00000000 0x00000000 0x00000000 0x00000000))
    (local.set 13
      (local.get 3))
    (loop  ;; label = @1
      (local.set 14
        (v128.load align=4
          (local.get 1)))
      (local.set 15
        (v128.load offset=16 align=4
          (local.get 1)))
      (local.set 16
        (v128.load32_splat
          (local.get 0)))
      (local.set 5
        (f32x4.add
          (f32x4.mul
            (local.get 16)
            (local.get 14))
          (local.get 5)))
      (local.set 6
        (f32x4.add
          (f32x4.mul
            (local.get 16)
            (local.get 15))
          (local.get 6)))
      (local.set 17
        (v128.load32_splat offset=400
          (local.get 0)))
      (local.set 7
        (f32x4.add
          (f32x4.mul
            (local.get 17)
            (local.get 14))
          (local.get 7)))
      (local.set 8
        (f32x4.add
          (f32x4.mul
            (local.get 17)
            (local.get 15))
          (local.get 8)))
      (local.set 18
        (v128.load32_splat offset=800
          (local.get 0)))
      (local.set 9
        (f32x4.add
          (f32x4.mul
            (local.get 18)
            (local.get 14))
          (local.get 9)))
      (local.set 10
        (f32x4.add
          (f32x4.mul
            (local.get 18)
            (local.get 15))
          (local.get 10)))
      (local.set 19
        (v128.load32_splat offset=1200
          (local.get 0)))
      (local.set 11
        (f32x4.add
          (f32x4.mul
            (local.get 19)
            (local.get 14))
          (local.get 11)))
      (local.set 12
        (f32x4.add
          (f32x4.mul
            (local.get 19)
            (local.get 15))
          (local.get 12)))
      (local.set 0
        (i32.add
          (local.get 0)
          (i32.const 4)))
      (local.set 1
        (i32.add
          (local.get 1)
          (i32.const 32)))
      (local.set 13
        (i32.sub
          (local.get 13)
          (i32.const 1)))
      (br_if 0 (;@1;)
        (local.get 13)))
    (v128.store align=4
      (local.get 2)
      (local.get 5))
    (v128.store offset=16 align=4
      (local.get 2)
      (local.get 6))
    (v128.store offset=256 align=4
      (local.get 2)
      (local.get 7))
    (v128.store offset=272 align=4
      (local.get 2)
      (local.get 8))
    (v128.store offset=512 align=4
      (local.get 2)
      (local.get 9))
    (v128.store offset=528 align=4
      (local.get 2)
      (local.get 10))
    (v128.store offset=768 align=4
      (local.get 2)
      (local.get 11))
    (v128.store offset=784 align=4
      (local.get 2)
      (local.get 12))))

;; constants: 
