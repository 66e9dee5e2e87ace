(module
  (type (;0;) (func (param i32)))
  (type (;1;) (func (param i32 i32 i32 i32 i32 i32)))
  (import "nn" "m" (memory (;0;) 0 65536))
  (import "nn" "wait" (func (;0;) (type 0)))
  (func $reduce (type 1) (param i32 i32 i32 i32 i32 i32)
    (local v128 v128 v128 v128 v128 i32 i32 i32 i32 i32 v128 v128 v128 v128 v128)
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
      (i32.add
        (local.get 0)
        (i32.mul
          (local.get 4)
          (i32.const 64))))
    (local.set 12
      (i32.add
        (local.get 1)
        (i32.mul
          (local.get 4)
          (i32.const 4))))
    (local.set 13
      (local.get 4))
    (if  ;; label = @1
      (i32.lt_u
        (local.get 13)
        (local.get 5))
      (then
        (loop  ;; label = @2
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
          (local.set 14
            (local.get 11))
          (local.set 15
            (i32.const 4))
          (loop  ;; label = @3
            (local.set 16
              (v128.load align=4
                (local.get 14)))
            (local.set 17
              (f32x4.mul
                (local.get 16)
                (local.get 16)))
            (local.set 6
              (f32x4.add
                (local.get 6)
                (local.get 17)))
            (local.set 14
              (i32.add
                (local.get 14)
                (i32.const 16)))
            (local.set 15
              (i32.sub
                (local.get 15)
                (i32.const 1)))
            (br_if 0 (;@3;)
              (local.get 15)))
          (local.set 18
            (f32x4.add
              (f32x4.add
                (f32x4.add
                  (f32x4.add
                    (local.get 10)
                    (local.get 6))
                  (local.get 7))
                (local.get 8))
              (local.get 9)))
          (local.set 19
            (f32x4.add
              (local.get 18)
              (i8x16.shuffle 8 9 10 11 12 13 14 15 0 1 2 3 4 5 6 7
                (local.get 18)
                (local.get 18))))
          (local.set 20
            (f32x4.add
              (local.get 19)
              (i8x16.shuffle 4 5 6 7 0 1 2 3 12 13 14 15 8 9 10 11
                (local.get 19)
                (local.get 19))))
          (v128.store32_lane 0
            (local.get 12)
            (local.get 20))
          (local.set 11
            (i32.add
              (local.get 11)
              (i32.const 64)))
          (local.set 12
            (i32.add
              (local.get 12)
              (i32.const 4)))
          (local.set 13
            (i32.add
              (local.get 13)
              (i32.const 1)))
          (br_if 0 (;@2;)
            (i32.lt_u
              (local.get 13)
              (local.get 5))))))))

;; constants: [0xffffffff 0x0 0x0 0x0]
